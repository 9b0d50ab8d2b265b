// Patrol with real sockets.
import type { Clock } from '../clock/clock.ts';
import { ANSWER_MS_MAX, CONNECT_MS_MAX, clientHello, probePort } from './probe-port.ts';
import type { Answer, Probe, Prober, Target } from './prober.ts';

/** Sockets open at once: a zone of 5,000 dead machines is 10,000 ports of 3 s each, done in 8 s. */
export const SOCKETS_MAX = 4_000;

export interface ProberLimits {
  sockets: number;
  connect_ms: number;
  answer_ms: number;
}

interface Question {
  address: string;
  service: 'ssh' | 'kubelet';
  /** Undefined until asked, and for ever where we could not ask. */
  answer?: Answer | undefined;
}

interface Round {
  questions: readonly Question[];
  /** The first one that has not begun. */
  next: number;
  underWay: number;
  hello: Buffer;
  /** Ends what is under way, without an answer. */
  enders: Set<() => void>;
  onEnd(): void;
}

/** @param limits other than the usual ones, for tests. They hold over all rounds of this prober together. */
export function tcpProber(clock: Clock, limits: Partial<ProberLimits> = {}): Prober {
  const { sockets = SOCKETS_MAX, connect_ms = CONNECT_MS_MAX, answer_ms = ANSWER_MS_MAX } = limits;
  const rounds = new Set<Round>();
  let open = 0;

  function start(): void {
    for (const round of rounds) {
      for (; open < sockets && round.next < round.questions.length; round.next++) {
        open++;
        round.underWay++;
        void ask(round.questions[round.next] as Question, round);
      }
    }
  }

  async function ask(question: Question, round: Round): Promise<void> {
    const { address, service } = question;
    const greeting = service === 'kubelet' ? round.hello : undefined;
    question.answer = await probePort({ clock, address, greeting, connect_ms, answer_ms }, round.enders);
    open--;
    round.underWay--;
    endIfOver(round);
    start();
  }

  function endIfOver(round: Round): void {
    if (round.underWay > 0 || round.next < round.questions.length) return;
    rounds.delete(round);
    round.onEnd();
  }

  return {
    async probe(targets, signal) {
      const questions = targets.flatMap(questionsOf);
      const hello = await clientHello();
      if (signal.aborted || questions.length === 0) return targets.map(() => undefined);
      await new Promise<void>((resolve) => {
        const onAbort = () => {
          round.next = questions.length;
          for (const end of [...round.enders]) end();
          endIfOver(round);
        };
        const onEnd = () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
        const round: Round = { questions, next: 0, underWay: 0, hello, enders: new Set(), onEnd };
        signal.addEventListener('abort', onAbort, { once: true });
        rounds.add(round);
        start();
      });
      return targets.map((_, at) => probeOf(questions[2 * at]?.answer, questions[2 * at + 1]?.answer));
    },
  };
}

function questionsOf({ ssh, kubelet }: Target): Question[] {
  return [
    { address: ssh, service: 'ssh' },
    { address: kubelet, service: 'kubelet' },
  ];
}

function probeOf(ssh: Answer | undefined, kubelet: Answer | undefined): Probe | undefined {
  return ssh && kubelet && { ssh, kubelet };
}
