/**
 * Data older than this decides no disruption, and says nothing of a machine. Watch bookmarks come about
 * each minute, so much younger is not to be had.
 */
export const STALENESS_MS_MAX = 90_000;
