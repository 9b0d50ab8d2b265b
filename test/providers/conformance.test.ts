// Every provider against the real protocol, row by row: see rows.ts.
import { describe, test } from 'node:test';
import { ROWS } from './rows.ts';
import { STAGES } from './stages.ts';

// Each of them mostly waits.
describe('the provider contract', { concurrency: true }, () => {
  for (const { name, skip, open } of STAGES)
    test(name, { skip: skip ?? false }, async (t) => {
      await using stage = await open();
      for (const row of ROWS)
        await t.test(row.name, async (t) => {
          const cannot = await row.check(stage);
          if (cannot) t.diagnostic(`cannot: ${cannot.cannot}`);
        });
    });
});
