// What events have in common. `correlate` takes tables as columns and answers with the attribute values that
// explain a rise, or that nothing does. How it works: docs/crash-correlate.md. From values to values:
//
//   join → leaves, noise → explore (count cells) → search (choose, take away, again) → answer (names, figures)
export { type Answer, correlate, type Explanation } from './answer.ts';
export { nameOf, type Verdict, type When } from './because.ts';
export {
  type EncodedColumn,
  type EncodedRows,
  hasExposure,
  JOIN_LIMITS,
  type Question,
  QuestionError,
} from './join.ts';
