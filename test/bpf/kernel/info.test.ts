import { describe, expect, test } from '@jest/globals';
import { Btf } from '../../../src/bpf/kernel/btf.ts';
import {
  decodeLinkInfo,
  decodeMapInfo,
  decodeProgramInfo,
  mapFlagWords,
} from '../../../src/bpf/kernel/info.ts';
import fc from '../../helpers/properties.ts';

describe('decoders', () => {
  test('of kernel infos take any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (raw) => {
        const buffer = Buffer.from(raw);
        // The kernel gives at least the fields of the first release.
        if (raw.length < 20) return;
        decodeMapInfo(buffer);
        decodeProgramInfo(buffer);
        decodeLinkInfo(buffer);
      }),
    );
    expect(mapFlagWords(0x8000_0081)).toEqual(['no_prealloc', 'rdonly_prog', '0x80000000']);
  });

  test('of type information take any bytes', () => {
    const header = Buffer.alloc(24);
    header.writeUInt16LE(0xeb9f, 0);
    header.writeUInt32LE(24, 4);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (raw, split) => {
        const types = Math.min(split, raw.length);
        header.writeUInt32LE(types, 12);
        header.writeUInt32LE(types, 16);
        header.writeUInt32LE(raw.length - types, 20);
        const btf = Btf.parse(Buffer.concat([header, raw]));
        for (let id = 0; id < 10; id++) btf?.decode(id, Buffer.from(raw));
      }),
    );
  });
});
