/**
 * What the brokers' operators wrote, where all brokers must agree: a partition's replicas would
 * differ otherwise, and a minimum of in-sync replicas that differs would lose records.
 *
 * Each broker says at its registration what is written on it. Every registered broker has one vote
 * for each setting, for its value or for having none; the value of most is in force, and in a tie
 * the one that is in force stays. So one broker whose file differs changes nothing, a rolling
 * restart brings a new value in once, when half of the brokers have it, and it makes no difference
 * which of them controls the cluster. A setting that is changed while brokers run counts before all
 * of this.
 */
import type { NodeId } from "@strandline/model";
import { writtenProblem } from "./broker-configs.js";
import { type Settings, settingRecords } from "./commands/config-changes.js";
import { type MetadataImage, staticResource } from "./image.js";
import type { ConfigRemovedRecord, ConfigSetRecord } from "./records.js";
import { clusterConfigSpec } from "./topic-configs.js";

export type StaticRecord = ConfigSetRecord | ConfigRemovedRecord;

/** A setting that a broker's operator wrote, but that is not in force. */
export interface OutvotedSetting {
  readonly name: string;
  readonly written: string;
  /** Undefined: none is written on most brokers. */
  readonly inForce: string | undefined;
}

/** Records of what is written on a broker now, and of what comes into force by that. */
export function writtenRecords(
  image: MetadataImage,
  broker: NodeId,
  written: Settings,
): StaticRecord[] {
  const legal = legalOf(written);
  const own = change(image, staticResource(broker), new Map(Object.entries(legal)));
  return [...own, ...voteRecords(image, { broker, written: new Map(Object.entries(legal)) })];
}

/** Records of a broker's leaving. */
export function forgottenRecords(image: MetadataImage, broker: NodeId): StaticRecord[] {
  const own = change(image, staticResource(broker), new Map());
  return [...own, ...voteRecords(image, { broker, written: undefined })];
}

/** What is written on a broker and not in force, as far as the image knows. */
export function outvotedSettings(image: MetadataImage, broker: NodeId): OutvotedSetting[] {
  const inForce = image.configs.get(staticResource(""));
  return [...(image.configs.get(staticResource(broker)) ?? [])]
    .map(([name, value]) => ({ name, written: value, inForce: inForce?.get(name) }))
    .filter((each) => each.inForce !== each.written);
}

/** A broker of another version may know more settings, or allow other values. */
function legalOf(written: Settings): Settings {
  return Object.fromEntries(
    Object.entries(written).filter(([name, value]) => {
      const spec = clusterConfigSpec(name);
      return spec !== undefined && writtenProblem(spec, value) === undefined;
    }),
  );
}

function voteRecords(
  image: MetadataImage,
  changed: { readonly broker: NodeId; readonly written: ReadonlyMap<string, string> | undefined },
): StaticRecord[] {
  const ballots: ReadonlyMap<string, string>[] = [];
  for (const id of image.nodes.keys()) {
    if (id !== changed.broker) ballots.push(image.configs.get(staticResource(id)) ?? new Map());
  }
  if (changed.written !== undefined) ballots.push(changed.written);
  const before = image.configs.get(staticResource("")) ?? new Map<string, string>();
  const names = new Set([...before.keys(), ...ballots.flatMap((ballot) => [...ballot.keys()])]);
  const after = new Map<string, string>();
  for (const name of names) {
    const votes = ballots.map((ballot) => ballot.get(name));
    const winner = elected(votes, before.get(name));
    if (winner !== undefined) after.set(name, winner);
  }
  return change(image, staticResource(""), after);
}

/** The value of most, undefined among them; in a tie that in force, else the latest. */
function elected(
  votes: readonly (string | undefined)[],
  inForce: string | undefined,
): string | undefined {
  const counts = new Map<string | undefined, number>([[inForce, 0]]);
  for (const vote of votes) counts.set(vote, (counts.get(vote) ?? 0) + 1);
  const most = Math.max(...counts.values());
  if (counts.get(inForce) === most) return inForce;
  return votes.findLast((vote) => counts.get(vote) === most);
}

function change(
  image: MetadataImage,
  resource: string,
  after: ReadonlyMap<string, string>,
): StaticRecord[] {
  const present = image.configs.get(resource);
  const remove = [...(present?.keys() ?? [])].filter((name) => !after.has(name));
  return settingRecords(resource, present, { set: Object.fromEntries(after), remove });
}
