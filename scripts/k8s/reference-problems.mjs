/** What the objects say of each other, which no schema can know. */
import { objectOf } from "./manifests.mjs";

/** Everything that does not hold, a sentence each. */
export function referenceProblems(manifests) {
  const problems = [];
  const check = (isTrue, sentence) => {
    if (!isTrue) problems.push(sentence);
  };
  const set = objectOf(manifests, "StatefulSet");
  const pod = set.spec.template;
  const services = manifests.map(({ object }) => object).filter(({ kind }) => kind === "Service");
  const selects = (selector) => isSubset(selector, pod.metadata.labels);

  for (const { object } of manifests) {
    check(
      object.metadata.namespace === undefined,
      `${object.kind} ${object.metadata.name} names a namespace`,
    );
  }
  check(selects(set.spec.selector.matchLabels), "the StatefulSet does not select its own pods");
  const headless = services.find(({ metadata }) => metadata.name === set.spec.serviceName);
  check(headless !== undefined, `serviceName ${set.spec.serviceName} is no Service`);
  check(headless?.spec.clusterIP === "None", "the Service of the StatefulSet is not headless");
  for (const service of services) {
    const { name } = service.metadata;
    check(selects(service.spec.selector), `Service ${name} does not select the pods`);
    for (const { port, targetPort } of service.spec.ports) {
      const containerPort = portOf(pod, targetPort ?? port);
      check(containerPort !== undefined, `Service ${name}: the pods have no port ${targetPort}`);
    }
  }
  const budget = objectOf(manifests, "PodDisruptionBudget");
  check(selects(budget.spec.selector.matchLabels), "the PodDisruptionBudget selects no pods");
  check(budget.spec.maxUnavailable === 1, "more than one broker may be taken at a time");
  return [...problems, ...podProblems(manifests, set), ...spreadProblems(pod)];
}

function podProblems(manifests, set) {
  const problems = [];
  const pod = set.spec.template.spec;
  const [container] = pod.containers;
  for (const name of ["startupProbe", "readinessProbe", "livenessProbe"]) {
    const port = container[name]?.httpGet?.port;
    if (portOf(set.spec.template, port) === undefined) {
      problems.push(`${name} asks port ${port}, which the container does not have`);
    }
  }
  const claims = (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
  const volumes = new Map((pod.volumes ?? []).map((volume) => [volume.name, volume]));
  for (const { name, mountPath } of container.volumeMounts) {
    if (!claims.includes(name) && !volumes.has(name)) {
      problems.push(`nothing named ${name} can be mounted at ${mountPath}`);
    }
  }
  for (const { name, configMap } of volumes.values()) {
    if (configMap === undefined) continue;
    const { mountPath } = container.volumeMounts.find((mount) => mount.name === name) ?? {};
    const { data } = objectOf(manifests, "ConfigMap", configMap.name);
    for (const argument of container.args) {
      const [, file] = new RegExp(`${mountPath}/(.+)$`).exec(argument) ?? [];
      if (file !== undefined && !Object.hasOwn(data, file)) {
        problems.push(`ConfigMap ${configMap.name} has no ${file}, which ${argument} reads`);
      }
    }
  }
  return problems;
}

function spreadProblems(pod) {
  const { affinity, topologySpreadConstraints } = pod.spec;
  const terms = affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution;
  const selectors = [
    ...terms.map(({ podAffinityTerm }) => podAffinityTerm.labelSelector),
    ...topologySpreadConstraints.map(({ labelSelector }) => labelSelector),
  ];
  return selectors
    .filter(({ matchLabels }) => !isSubset(matchLabels, pod.metadata.labels))
    .map((selector) => `the spread looks at no pods: ${JSON.stringify(selector)}`);
}

/** A port by name or number, as a probe or a Service names it. */
export function portOf(pod, port) {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  return ports.find((each) => each.name === port || each.containerPort === port)?.containerPort;
}

function isSubset(selector, labels) {
  const entries = Object.entries(selector ?? {});
  return entries.length > 0 && entries.every(([key, value]) => labels[key] === value);
}
