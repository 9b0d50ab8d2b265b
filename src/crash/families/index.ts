// Which crashes are one family, and which of them somebody knows already. Pure.
//
//   similarity.ts       how alike two stacks are
//   book.ts             families that signatures join as they come
//   decisions.ts        what people have merged, split, renamed and muted, applied on top
//   known-bugs.ts       known bugs with links, fixes and hotfixes; a site adds its own
//   kernel-version.ts   whether a kernel has a fix, within its own branch
export { type Family, FamilyBook, JOIN_FROM, JOIN_LEAST, type Joined, type Signature } from './book.ts';
export { apply, type Conflict, type DecidedFamily, type FamilyDecision, isMuted } from './decisions.ts';
export {
  compareKernelVersions,
  type FixState,
  hasFix,
  type KernelVersion,
  parseKernelVersion,
} from './kernel-version.ts';
export {
  bugsOf,
  fixStateOf,
  hotfixesFor,
  type KnownBug,
  KnownBugsError,
  parseKnownBugs,
  withSite,
} from './known-bugs.ts';
