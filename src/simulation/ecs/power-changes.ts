// How power changes, whoever asked for it: a call, or the cloud itself.
import type { Cloud, Instance } from './cloud.ts';

export function rebooted(cloud: Cloud, instance: Instance, force: boolean): void {
  instance.status = 'Starting';
  instance.machine.reboot(force);
  cloud.runsAfter(instance, cloud.durations.rebooting_ms);
}

export function stopped(cloud: Cloud, instance: Instance, force: boolean): void {
  instance.status = 'Stopping';
  instance.machine.stop(force);
  cloud.after(instance, force ? cloud.durations.stopping_ms / 4 : cloud.durations.stopping_ms, () => {
    instance.status = 'Stopped';
  });
}

export function redeployed(cloud: Cloud, instance: Instance): void {
  instance.status = 'Stopping';
  cloud.after(instance, cloud.durations.redeploying_ms / 2, () => {
    instance.serial = `serial-${cloud.nextNumber()}`;
    instance.status = 'Starting';
    instance.machine.redeploy();
    cloud.runsAfter(instance, cloud.durations.redeploying_ms / 2);
  });
}
