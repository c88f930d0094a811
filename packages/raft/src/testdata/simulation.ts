/**
 * A cluster under a seed: random ticks, losses, duplicates, reordering, partitions, crashes between
 * any two steps of a server's work, proposals, reads, compactions, transfers and changes of the
 * voters. After each step the oracle looks at everything. The same seed gives the same run.
 */
import type { ConfigurationChange, RaftMessage } from "../index.js";
import { Oracle } from "./oracle.js";
import { bytesOf, Server } from "./server.js";

/** Drawn anew for each seed: which faults are on, and how strong. */
interface Weather {
  /** Probabilities per message. */
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
  /** How often each kind of event happens, against one delivery. */
  readonly weights: {
    /** A server does the next part of its work. */
    readonly work: number;
    /** Time passes for one server. */
    readonly tick: number;
    readonly propose: number;
    readonly read: number;
    readonly compact: number;
    readonly crash: number;
    /** A server loses its disk for good, and comes back with an empty one. */
    readonly wipe: number;
    readonly partition: number;
    /** One server and some allies, cut off from the rest, try to elect it there and then. */
    readonly coup: number;
    readonly peerLost: number;
    readonly transfer: number;
    readonly change: number;
    readonly campaign: number;
  };
}

export class Simulation {
  readonly oracle: Oracle;
  readonly servers = new Map<number, Server>();
  readonly #random: Random;
  readonly #weather: Weather;
  #flight: RaftMessage[] = [];
  /** Directed links that lose everything, as "from>to". */
  #cuts = new Set<string>();
  #proposals = 0;
  #reads = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#weather = this.#drawWeather();
    const voterCount = 1 + this.#random.below(5);
    const spareCount = this.#random.below(3);
    const voters = Array.from({ length: voterCount }, (_, at) => at + 1);
    const electionTicks = 3 + this.#random.below(6);
    const inflightMax = 1 + this.#random.below(4);
    const entriesBytesMax = 1 + this.#random.below(200);
    for (let id = 1; id <= voterCount + spareCount; id += 1) {
      const server = new Server({
        self: id,
        voters: id <= voterCount ? voters : [],
        electionTicks,
        heartbeatTicks: 1 + this.#random.below(2),
        entriesBytesMax,
        inflightMax,
        seed: this.#random.next(),
      });
      this.servers.set(id, server);
    }
    this.oracle = new Oracle(this.servers);
  }

  /** One random thing happens; then the oracle looks. */
  step(): void {
    const { weights } = this.#weather;
    const server = this.#anyServer();
    const { node } = server;
    const events: readonly (readonly [number, () => void])[] = [
      [weights.work, (): void => this.#workSome(server)],
      [1, (): void => this.#deliverSome()],
      [weights.tick, (): void => server.tick()],
      [weights.propose, (): void => this.#propose(server)],
      [weights.read, (): void => this.#read(server)],
      [weights.compact, (): void => void server.compact()],
      [weights.crash, (): void => this.#crash(server)],
      [weights.wipe, (): void => this.#wipe(server)],
      [weights.partition, (): void => this.#repartition()],
      [weights.coup, (): void => this.#coup(server)],
      [weights.peerLost, (): void => node.peerLost(node.leader)],
      [weights.peerLost, (): void => node.peerLost(this.#anyServer().id)],
      [weights.transfer, (): void => this.#anyLeader()?.node.transferLeadership(server.id)],
      [weights.change, (): void => this.#change(server)],
      [weights.campaign, (): void => this.#campaign(server)],
    ];
    let at = this.#random.fraction() * events.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, happen] of events) {
      at -= weight;
      if (at > 0) continue;
      happen();
      break;
    }
    this.oracle.look();
  }

  /** Good weather from now on: everybody up, everything delivered in order, time passing evenly. */
  settle(rounds: number): void {
    this.#cuts.clear();
    for (let round = 0; round < rounds; round += 1) {
      for (const server of this.servers.values()) server.tick();
      this.drain();
    }
  }

  /** Works and delivers until nobody has anything left to do. */
  drain(): void {
    let isBusy = true;
    for (let turn = 0; isBusy; turn += 1) {
      if (turn > 10_000) throw new Error("the servers never come to rest");
      isBusy = this.#flight.length > 0;
      for (const message of this.#flight.splice(0)) {
        this.servers.get(message.to)?.receive(message);
      }
      for (const server of this.servers.values()) {
        const isAtWork = server.ready !== undefined || server.node.hasReady();
        isBusy ||= isAtWork;
        if (isAtWork) this.#workAll(server);
      }
      this.oracle.look();
    }
  }

  /** The one leader that every voter of its configuration follows, or why there is none. */
  leader(): Server | string {
    const leaders = [...this.servers.values()].filter(({ node }) => node.role === "leader");
    const [leader] = leaders;
    if (leader === undefined || leaders.length > 1) return `${leaders.length} leaders`;
    for (const voter of leader.node.voters) {
      const seen = this.servers.get(voter)?.node.leader;
      if (seen !== leader.id) return `${voter} follows ${seen}, not ${leader.id}`;
    }
    return leader;
  }

  #work(server: Server): void {
    const { ready } = server;
    if (ready === undefined) {
      // Persisted at once, but not sent: a crash here must not matter to anyone.
      const begun = server.begin();
      if (begun === undefined) return;
      if (this.#random.chance(0.9)) this.#persist(server);
    } else if (!this.oracle.isPersisted(ready)) {
      this.#persist(server);
    } else {
      this.#send(ready.messages);
      server.finish(ready);
      this.oracle.noteReads(server, ready);
    }
  }

  #workAll(server: Server): void {
    do this.#work(server);
    while (server.ready !== undefined);
  }

  /** Often leaves a Ready half done: input arrives meanwhile, or a crash. */
  #workSome(server: Server): void {
    if (this.#random.chance(0.7)) this.#workAll(server);
    else this.#work(server);
  }

  #deliverSome(): void {
    for (let count = this.#random.below(4); count >= 0; count -= 1) this.#deliver();
  }

  #persist(server: Server): void {
    if (server.ready === undefined) return;
    server.persist(server.ready);
    this.oracle.notePersisted(server, server.ready);
  }

  #send(messages: readonly RaftMessage[]): void {
    for (const message of messages) {
      this.oracle.noteSent(message);
      this.#flight.push(message);
    }
    // A network that nobody reads from loses the oldest.
    if (this.#flight.length > 500) this.#flight.splice(0, this.#flight.length - 500);
  }

  #deliver(): void {
    if (this.#flight.length === 0) return;
    // Mostly in order, as on a stream; now and then far out of it.
    const isFar = this.#random.chance(this.#weather.reordering);
    const reach = isFar ? this.#flight.length : Math.min(2, this.#flight.length);
    this.#deliverAt(this.#random.below(reach));
  }

  #deliverAt(at: number): void {
    const message = this.#flight[at];
    if (message === undefined) return;
    if (!this.#random.chance(this.#weather.duplication)) this.#flight.splice(at, 1);
    if (this.#cuts.has(`${message.from}>${message.to}`)) return;
    if (this.#random.chance(this.#weather.loss)) return;
    this.servers.get(message.to)?.receive(message);
  }

  #propose(server: Server): void {
    const leader = this.#random.chance(0.8) ? this.#anyLeader() : server;
    this.#proposals += 1;
    (leader ?? server).node.propose(bytesOf(`p${this.#proposals}`));
  }

  #read(server: Server): void {
    this.#reads += 1;
    if (server.node.readIndex(this.#reads)) this.oracle.noteReadAsked(server, this.#reads);
  }

  #change(server: Server): void {
    // Who replaces a disk leaves the voters alone meanwhile: those that are left may be needed.
    if (this.#hasSilent()) return;
    const kind: ConfigurationChange["kind"] = this.#random.chance(0.5) ? "add" : "remove";
    (this.#anyLeader() ?? server).node.proposeConfiguration({ kind, id: this.#anyServer().id });
  }

  #crash(server: Server): void {
    server.restart(this.#random.chance(0.5), this.#random.next());
    this.oracle.noteRestart(server);
  }

  /**
   * One at a time, while the others are a majority without it, and all of them answer. What was on
   * its connections is gone with them.
   */
  #wipe(server: Server): void {
    const { id } = server;
    const lists = [...this.servers.values()].map(({ node }) => node.voters);
    const isSafe = lists.every((voters) => !voters.includes(id) || voters.length > 2);
    const isAgreed = new Set(lists.filter(({ length }) => length > 0).map(String)).size === 1;
    if (!isSafe || !isAgreed || this.#hasSilent()) return;
    const others = [...this.servers.values()].filter((other) => other !== server);
    this.#flight = this.#flight.filter(({ from, to }) => from !== id && to !== id);
    const term = Math.max(0, ...others.map(({ node }) => node.term));
    const lastIndex = Math.max(0, ...others.map(({ node }) => node.lastIndex));
    server.replaceDisk({ term, lastIndex }, this.#random.next());
    for (const { node } of others) node.forget(id);
    this.oracle.noteWiped(server);
  }

  #hasSilent(): boolean {
    return [...this.servers.values()].some(({ isSilent }) => isSilent);
  }

  #campaign(server: Server): void {
    if (!server.isSilent) server.node.campaign();
  }

  /** Heals the network, or cuts it: one server off, in two halves, or here and there. */
  #repartition(): void {
    const shape = this.#random.below(5);
    const lonely = (this.#anyLeader() ?? this.#anyServer()).id;
    const sides = new Map([...this.servers.keys()].map((id) => [id, this.#random.below(2)]));
    const isCut: readonly ((from: number, to: number) => boolean)[] = [
      (): boolean => false,
      (from, to): boolean => from === lonely || to === lonely,
      (from, to): boolean => sides.get(from) !== sides.get(to),
      (from): boolean => from === lonely,
      (): boolean => this.#random.chance(0.3),
    ];
    this.#cut((from, to) => isCut[shape]?.(from, to) === true);
  }

  #cut(isCut: (from: number, to: number) => boolean): void {
    this.#cuts.clear();
    for (const from of this.servers.keys()) {
      for (const to of this.servers.keys()) {
        if (isCut(from, to)) this.#cuts.add(`${from}>${to}`);
      }
    }
  }

  /**
   * Leaderships that end after a few messages: what figure 8 and the traps of membership changes
   * are made of, and what timeouts alone bring about too rarely.
   */
  #coup(candidate: Server): void {
    if (candidate.node.role === "leader") return;
    const allies = [...this.servers.values()].filter((server) => {
      return server === candidate || this.#random.chance(0.6);
    });
    const sides = new Set(allies.map(({ id }) => id));
    this.#cut((from, to) => sides.has(from) !== sides.has(to));
    for (const { node } of allies) {
      node.peerLost(node.leader);
      // A leader among them would stand in the way until it has noticed that it is one no more.
      for (let ticks = 0; ticks < 10 && node.role === "leader"; ticks += 1) node.tick();
    }
    // The old connections are gone, and most of what was on them.
    this.#flight = this.#flight.filter(() => this.#random.chance(0.2));
    this.#campaign(candidate);
    const hasWon = (): boolean => candidate.node.role === "leader";
    for (let round = 0; round < 8 && !hasWon(); round += 1) {
      for (const ally of allies) this.#workAll(ally);
      while (!hasWon() && this.#deliverAmong(sides));
    }
    this.oracle.mark(hasWon() ? "coup" : "coup that failed");
    this.oracle.look();
    for (let left = this.#random.below(20); left > 0; left -= 1) {
      if (this.#random.chance(0.15)) this.#propose(candidate);
      if (this.#random.chance(this.#weather.weights.change)) this.#change(candidate);
      const ally = allies[this.#random.below(allies.length)];
      if (ally !== undefined) this.#workSome(ally);
      this.#deliverAmong(sides);
      this.oracle.look();
    }
  }

  #deliverAmong(sides: ReadonlySet<number>): boolean {
    const at = this.#flight.findIndex(({ from, to }) => sides.has(from) && sides.has(to));
    if (at >= 0) this.#deliverAt(at);
    return at >= 0;
  }

  #anyServer(): Server {
    const server = [...this.servers.values()][this.#random.below(this.servers.size)];
    if (server === undefined) throw new Error("a cluster has servers");
    return server;
  }

  #anyLeader(): Server | undefined {
    const leaders = [...this.servers.values()].filter(({ node }) => node.role === "leader");
    return leaders[this.#random.below(Math.max(1, leaders.length))];
  }

  #drawWeather(): Weather {
    const upTo = (most: number): number => {
      return this.#random.chance(0.3) ? 0 : this.#random.fraction() * most;
    };
    return {
      loss: upTo(0.2),
      duplication: upTo(0.2),
      reordering: upTo(0.5),
      weights: {
        work: 1 + upTo(2),
        tick: 0.3 + upTo(0.7),
        propose: 0.05 + upTo(0.3),
        read: upTo(0.1),
        compact: upTo(0.05),
        crash: upTo(0.05),
        wipe: upTo(0.02),
        partition: upTo(0.05),
        // In one seed of four, short leaderships are nearly all that happens.
        coup: this.#random.chance(0.25) ? 2 : upTo(0.1),
        peerLost: upTo(0.1),
        transfer: upTo(0.05),
        change: upTo(0.1),
        campaign: upTo(0.05),
      },
    };
  }
}

/** A generator of the simulator's own, so that it never follows the jitter of the nodes. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  fraction(): number {
    return this.next() / 2 ** 32;
  }

  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }
}
