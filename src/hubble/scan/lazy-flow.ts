import type { Flow } from '../../model/hubble.gen.ts';
import { type Field, type MessageType, messageType } from '../protobuf/schema.ts';

/** Gives the value of a field by its path; of a message that is no list only whether it is there. */
export type FieldReader = (path: string, field: Field) => unknown;

/** A flow whose fields are read when they are asked for. It cannot be asked which fields it has. */
export function lazyFlow(read: FieldReader): Flow {
  return lazyMessage(messageType('flow.Flow'), '', read);
}

function lazyMessage({ byName }: MessageType, before: string, read: FieldReader): object {
  const messages = new Map<string, object>();
  const fieldOf = (name: string | symbol) => {
    const field = typeof name === 'string' ? byName.get(name) : undefined;
    if (field?.name !== name) return undefined;
    const value = read(before + name, field);
    if (value === undefined || field.kind !== 'message' || field.repeated) return value;
    const message = messages.get(name) ?? lazyMessage(field.message(), `${before}${name}.`, read);
    messages.set(name, message);
    return message;
  };
  return new Proxy(
    {},
    {
      get: (_, name) => fieldOf(name),
      getOwnPropertyDescriptor: (_, name) => {
        const value = fieldOf(name);
        return value === undefined ? undefined : { value, configurable: true };
      },
      ownKeys: () => {
        throw new Error('a filter asks which fields there are');
      },
    },
  );
}
