// Did the fix help? Rates before and after, with and without a control group: numbers (prove.ts) and a sentence
// (verdict.ts). Pure.
export {
  dispersionOf,
  type Observed,
  type Proof,
  type ProofInput,
  prove,
  type RateRatio,
  rateRatio,
} from './prove.ts';
