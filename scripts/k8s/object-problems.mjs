/**
 * Whether one object is what the Kubernetes API takes: by the schemas of that API, which a
 * development dependency carries, so no cluster and no network is needed.
 */

import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Service } from "kubernetes-models/v1/Service";

const MODELS = [ConfigMap, Service, StatefulSet, PodDisruptionBudget];

/** Everything that is wrong with it, a sentence each. */
export function objectProblems(object) {
  const model = MODELS.find(
    (each) => each.apiVersion === object.apiVersion && each.kind === object.kind,
  );
  if (model === undefined) return [`no schema for ${object.apiVersion} ${object.kind}`];
  const problems = [];
  const reads = new Reads(object);
  // Not on an instance: the validator must meet the recording views, not copies of what they show.
  try {
    model.prototype.validate.call(reads.root);
  } catch (error) {
    problems.push(error.message);
  }
  return [...problems, ...reads.unread().map((field) => `there is no field ${field}`)];
}

/**
 * Which fields were looked at. The schemas allow fields that they do not know, so a misspelt one
 * would pass, and the API server would drop it; but nothing ever looks at such a field.
 */
class Reads {
  root;
  #views = new Map();
  #read = new Map();

  constructor(object) {
    this.root = this.#view(object);
  }

  /** Paths of the fields that nobody has read. */
  unread(object = this.#objectOf(this.root), prefix = "") {
    if (Array.isArray(object)) {
      return object.flatMap((item, at) =>
        isContainer(item) ? this.unread(item, `${prefix}/${at}`) : [],
      );
    }
    return Object.entries(object).flatMap(([key, value]) => {
      if (!this.#read.get(object)?.has(key)) return [`${prefix}/${key}`];
      return isContainer(value) ? this.unread(value, `${prefix}/${key}`) : [];
    });
  }

  #view(object) {
    const known = this.#views.get(object);
    if (known !== undefined) return known;
    const read = new Set();
    this.#read.set(object, read);
    const view = new Proxy(object, {
      get: (target, key) => {
        read.add(key);
        const value = target[key];
        return isContainer(value) ? this.#view(value) : value;
      },
      // A map of free keys, such as labels: whoever lists it takes all.
      ownKeys: (target) => {
        for (const key of Reflect.ownKeys(target)) read.add(key);
        return Reflect.ownKeys(target);
      },
    });
    this.#views.set(object, view);
    return view;
  }

  #objectOf(view) {
    for (const [object, each] of this.#views) if (each === view) return object;
    throw new Error("not a view of this object");
  }
}

function isContainer(value) {
  return typeof value === "object" && value !== null;
}
