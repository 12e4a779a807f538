import { describe, expect, test } from '@jest/globals';
import { defaultFieldMask, fieldMask } from '../../../src/hubble/protobuf/field-mask.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import { type FlowFormat, FlowRenderer } from '../../../src/render/hubble/flow-renderer.ts';
import { timeFormat } from '../../../src/render/hubble/flow-time.ts';
import { messages } from '../../helpers/hubble-arbitrary.ts';
import fc from '../../helpers/properties.ts';

const FORMATS: readonly FlowFormat[] = ['compact', 'dict', 'table'];

describe('the fields that are asked for by default', () => {
  test.each([true, false])('are all that is printed; names for addresses: %s', (translateIps) => {
    const mask = fieldMask(defaultFieldMask({ translateIps }));
    const style = {
      time: timeFormat('RFC3339Nano'),
      color: false,
      nodeName: true,
      translateIps,
      policyNames: true,
    };
    fc.assert(
      fc.property(messages('flow.Flow'), fc.constantFrom(...FORMATS), (fields, format) => {
        const print = (flow: Flow) => new FlowRenderer(format, style, 'none').response({ flow });
        expect(print(mask(fields as Flow))).toBe(print(fields as Flow));
      }),
    );
  });

  test('hold no names where addresses are printed', () => {
    expect(defaultFieldMask({ translateIps: false })).not.toContain('source_names');
  });
});
