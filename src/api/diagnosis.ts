import { z } from 'zod';

/** What can be wrong with a machine, as far as it can be told from outside. Chinese beside it is what the console shows. */
export const CAUSES = {
  Crashed: 'the kernel panicked (宕机)',
  Dumping: 'the kernel panicked and is writing its crash dump (正在转储)',
  Hung: 'it takes connections but answers nothing (夯机)',
  PoweredOff: 'the power is off (断电)',
  KubeletDown: 'the host is well, its kubelet is not (kubelet 异常)',
  RuntimeDown: 'the container runtime is down (容器运行时异常)',
  DiskFull: 'a disk of the host is full (磁盘写满)',
  NetworkLost: 'the machine runs but its network is gone (网络中断)',
  DomainOutage: 'its whole rack, zone or cluster is out of reach (故障域中断)',
  ControlPlaneBlind: 'we ourselves do not see the cluster (控制面失联)',
  Planned: 'a planned operation is under way (计划内操作)',
  MaintenanceDue: 'its provider has announced maintenance that wants a reboot (云上维护待重启)',
  RedeployDue: 'its provider wants it moved to other hardware (待迁移到其他硬件)',
  HardwareFailing: 'it runs, and its hardware’s own log names a part that fails (硬件告警)',
  Restarted: 'it rebooted by itself and left no sign of why (自行重启)',
  Unknown: 'the evidence does not agree, or is not enough (未知)',
} as const;

export const cause = z.enum(Object.keys(CAUSES) as [keyof typeof CAUSES, ...(keyof typeof CAUSES)[]]);
export type Cause = keyof typeof CAUSES;

/** What the ladder of a policy may ask for. */
export const REMEDIES = [
  'Wait',
  'RestartService',
  'CleanDisk',
  'Evict',
  'Nmi',
  'Reboot',
  'PowerCycle',
  'PowerOn',
  'Redeploy',
  'Escalate',
] as const;
export const remedy = z.enum(REMEDIES);
export type Remedy = (typeof REMEDIES)[number];

/** What may be removed from a full disk: what each means is in platform/hosts/actions/clean-rules.ts. */
export const CLEAN_RULES = [
  'RotatedLogs',
  'PackageCaches',
  'ArchivedJournals',
  'UnusedImages',
  'CrashDumps',
  'TemporaryFiles',
] as const;
export type CleanRuleName = (typeof CLEAN_RULES)[number];
/** Without being asked: old dumps and other people's temporary files may be wanted by somebody. */
export const CLEAN_RULES_USUAL: readonly CleanRuleName[] = CLEAN_RULES.slice(0, 4);
export const cleanRules = () =>
  z
    .array(z.enum(CLEAN_RULES))
    .min(1)
    .max(CLEAN_RULES.length)
    .optional()
    .describe(`What CleanDisk removes: ${CLEAN_RULES_USUAL.join(', ')} by default.`);

/** Host services that Drover may restart. A closed list: no caller can name a unit of their own. */
export const SERVICES = ['kubelet', 'containerd'] as const;
export const service = z.enum(SERVICES);
export type Service = (typeof SERVICES)[number];
