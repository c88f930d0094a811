import { describe, expect, it } from "vitest";
import { manifestFiles, objectOf, readKustomization, readManifests } from "./manifests.mjs";
import { objectProblems } from "./object-problems.mjs";
import { referenceProblems } from "./reference-problems.mjs";

const POD = "spec.template.spec";
const CONTAINER = `${POD}.containers.0`;

const all = readManifests();
const set = objectOf(all, "StatefulSet");

/** A copy of the manifests in which one field of one object is another, or gone. */
function changed(kind: string, path: string, value: unknown): ReturnType<typeof readManifests> {
  const copy = structuredClone(all);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let holder = objectOf(copy, kind, "strandline");
  for (const key of keys) holder = holder[key];
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

describe("the Kubernetes objects", () => {
  it.each(all.map(({ object }) => ({ kind: object.kind, name: object.metadata.name, object })))(
    "are what the API takes: $kind $name",
    ({ object }) => {
      expect(objectProblems(object)).toEqual([]);
    },
  );

  it("fit each other", () => {
    expect(referenceProblems(all)).toEqual([]);
  });

  it("are the same by `-f` on the directory and by `-k`", () => {
    const kustomization = readKustomization();
    expect([...kustomization.resources].sort()).toEqual(manifestFiles().sort());
    expect(kustomization.namespace).toBeUndefined();
  });

  it("let a broker take all the time it may need to stop", () => {
    expect(set.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(30);
  });

  it("give the container no rights", () => {
    const { securityContext, containers } = set.spec.template.spec;
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("never make a broker's life depend on another one's", () => {
    const { startupProbe, livenessProbe, readinessProbe } = set.spec.template.spec.containers[0];
    expect(startupProbe.httpGet.path).toBe("/livez");
    expect(livenessProbe.httpGet.path).toBe("/livez");
    expect(readinessProbe.httpGet.path).toBe("/readyz");
  });
});

describe(objectProblems, () => {
  it.each([
    ["a wrong type", "spec.replicas", "3", "must be integer"],
    ["a missing field", "spec.selector", undefined, "selector"],
    ["a misspelt field", `${CONTAINER}.securityContxt`, {}, "containers/0/securityContxt"],
    ["an unknown version", "apiVersion", "apps/v3", "no schema for apps/v3"],
  ])("finds %s", (_what, path, value, sentence) => {
    const object = objectOf(changed("StatefulSet", path, value), "StatefulSet");
    expect(objectProblems(object).join("\n")).toContain(sentence);
  });
});

describe(referenceProblems, () => {
  it.each([
    ["a namespace", "ConfigMap", "metadata.namespace", "prod", "names a namespace"],
    ["a Service without pods", "Service", "spec.selector", { app: "x" }, "not select the pods"],
    ["a port of nobody", "Service", "spec.ports.0.targetPort", "gprc", "have no port gprc"],
    ["a file of nobody", "ConfigMap", "data", {}, "has no server.properties"],
    ["a probe of no port", "StatefulSet", `${CONTAINER}.livenessProbe.httpGet.port`, "x", "port x"],
    ["a mount of nothing", "StatefulSet", "spec.volumeClaimTemplates", [], "nothing named data"],
    ["a missing Service", "StatefulSet", "spec.serviceName", "gone", "gone is no Service"],
    ["foreign pods", "StatefulSet", "spec.selector.matchLabels", { a: "b" }, "its own pods"],
    [
      "a budget for other pods",
      "PodDisruptionBudget",
      "spec.selector.matchLabels",
      { app: "x" },
      "selects no pods",
    ],
  ])("finds %s", (_what, kind, path, value, sentence) => {
    expect(referenceProblems(changed(kind, path, value)).join("\n")).toContain(sentence);
  });
});
