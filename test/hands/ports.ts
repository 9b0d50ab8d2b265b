// The two ports of a simulated machine, as sockets: what patrol knocks at, and what SSH goes through. They do what the
// machine's state makes of them.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { SimulatedFleet } from '../../src/simulation/fleet/fleet.ts';
import type { SimulatedMachine } from '../../src/simulation/fleet/machine.ts';

export interface Port extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  address: string;
}

/** @param answer what a machine that is well does with a connection */
async function openPort(
  fleet: SimulatedFleet,
  machine: SimulatedMachine,
  isUp: () => boolean,
  answer: (socket: Socket) => void,
): Promise<Port> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    if (machine.phase === 'Hung') return;
    if (isUp()) answer(socket);
    // The loopback drops no packets: a machine that is down refuses.
    else socket.resetAndDestroy();
  });
  const onChange = (changed: SimulatedMachine) => {
    if (changed !== machine) return;
    if (machine.phase === 'Hung') for (const socket of sockets) socket.pause();
    else if (!isUp()) for (const socket of sockets) socket.resetAndDestroy();
  };
  fleet.listeners.add(onChange);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((closed) => {
        fleet.listeners.delete(onChange);
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export function kubeletPort(fleet: SimulatedFleet, machine: SimulatedMachine): Promise<Port> {
  return openPort(
    fleet,
    machine,
    () => fleet.kubeletWorks(machine),
    (socket) => {
      socket.once('data', () => socket.end('!'));
    },
  );
}

/** @param sshd `host:port` of a real one; without it there is a banner and nothing behind it */
export function sshPort(fleet: SimulatedFleet, machine: SimulatedMachine, sshd?: string): Promise<Port> {
  return openPort(
    fleet,
    machine,
    () => machine.phase === 'Running' && fleet.isConnected(machine),
    (socket) => {
      if (!sshd) return void socket.write('SSH-2.0-OpenSSH_9.2\r\n');
      const [host, port] = sshd.split(':');
      const inner = connect(Number(port), host);
      inner.on('error', () => socket.destroy());
      socket.once('close', () => inner.destroy());
      socket.pipe(inner).pipe(socket);
    },
  );
}
