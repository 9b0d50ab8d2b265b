// Which machines to buy: see README.md.
export { CHANGES_MAX, type Change, changeOf } from './changes.ts';
export { makePlan, money, type PlanOptions, type PlanProgress } from './make-plan.ts';
export { NO_WISHES, type Offer, PlanError, type Wishes, type Workload } from './model.ts';
export { pictureOf } from './picture.ts';
export { machinesOf, type Plan, type PlannedMachines, podsWords } from './plan.ts';
export { highs } from './solve/highs.ts';
export { byWeight, wasteWords } from './waste.ts';
