import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { connectHubble } from '../../cli/hubble/server.ts';
import { readSettings } from '../../cli/hubble/settings.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { decode } from '../../hubble/protobuf/codec.ts';
import type { ServerReflectionResponse } from '../../model/hubble.gen.ts';
import { goJson } from '../../render/text/json.ts';

const METHOD = '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo';

/** Declares `hubble reflect`. */
export function addHubbleReflectCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('hubble reflect'));
  command.action(() => runHubbleReflect(command, ctx));
}

/** Prints a JSON object for each file of the server's API. */
export async function runHubbleReflect(command: Command, ctx: Context): Promise<void> {
  await using client = await connectHubble(await readSettings(command, ctx), ctx);
  const listed = await client.exchange(METHOD, [{ list_services: '*' }]);
  const services = listed.flatMap((answer) => checked(answer).list_services_response?.service ?? []);
  if (services.length === 0) return;
  const described = await client.exchange(
    METHOD,
    services.map(({ name = '' }) => ({ file_containing_symbol: name })),
  );
  const seen = new Set<string>();
  for (const answer of described) {
    for (const base64 of checked(answer).file_descriptor_response?.file_descriptor_proto ?? []) {
      const file = decode('google.protobuf.FileDescriptorProto', Buffer.from(base64, 'base64'));
      if (seen.has(file.name ?? '')) continue;
      seen.add(file.name ?? '');
      await ctx.out.write(`${goJson(file)}\n`);
    }
  }
}

function checked(answer: ServerReflectionResponse): ServerReflectionResponse {
  const { error_response: error } = answer;
  if (error) throw new UserError(`the server does not describe its API: ${error.error_message ?? ''}`);
  return answer;
}
