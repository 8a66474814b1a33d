import { expect } from 'chai';
import { byMaking, madeAt } from '../../../src/model/stream-arn.ts';

const seen = (label: string, firstSeenAt: number) => ({ arn: `arn:aws:dynamodb:us-east-1:1:table/orders/stream/${label}`, firstSeenAt });

describe('model/stream-arn', () => {
  for (const [what, older, newer] of [
    [
      'the service’s labels, whatever clocks said (seed 5005 of several workers)',
      seen('2026-01-01T00:00:00.000', 9),
      seen('2026-01-01T00:01:02.712', 5),
    ],
    ['labels of epoch seconds', seen('1767225600', 9), seen('1767225662.712', 5)],
    ['when they were seen, where a label is no time', seen('zz', 5), seen('aa', 9)],
    ['when they were seen, where only one label is a time', seen('zz', 5), seen('2026-01-01T00:00:00.000', 9)],
  ] as const) {
    it(`orders by ${what}`, () => {
      expect([newer, older].sort(byMaking)).to.deep.equal([older, newer]);
      expect([older, newer].sort(byMaking)).to.deep.equal([older, newer]);
    });
  }

  it('says when a stream was made, where its label does', () => {
    const times = ['2026-01-01T00:01:02.712', '1767225662.712', 'zz'].map(label => madeAt(seen(label, 0).arn));
    expect(times).to.deep.equal([1_767_225_662_712, 1_767_225_662_712, undefined]);
  });
});
