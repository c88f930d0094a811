/** The objects under deploy/k8s, as `kubectl apply -f` finds them. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments, parseDocument } from "yaml";

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const DIRECTORY = path.join(ROOT, "deploy/k8s");

/** What kubectl takes for a manifest; it passes everything else in a directory over. */
const ENDINGS = [".yaml", ".yml", ".json"];

/** Every object with the file it is in. Throws when a file is no YAML. */
export function readManifests() {
  return manifestFiles().flatMap((file) =>
    parseAllDocuments(readFileSync(path.join(DIRECTORY, file), "utf8")).map((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0].message}`);
      return { file, object: document.toJS() };
    }),
  );
}

export function manifestFiles() {
  return readdirSync(DIRECTORY).filter((file) => ENDINGS.includes(path.extname(file)));
}

export function readKustomization() {
  const text = readFileSync(path.join(DIRECTORY, "Kustomization"), "utf8");
  return parseDocument(text, { strict: true }).toJS();
}

/** The only object of that kind, or the one with that name. */
export function objectOf(manifests, kind, name) {
  const found = manifests
    .map(({ object }) => object)
    .filter((object) => object.kind === kind)
    .filter((object) => name === undefined || object.metadata.name === name);
  if (found.length !== 1) throw new Error(`${found.length} objects are ${kind} ${name ?? ""}`);
  return found[0];
}

/** The command that the image runs, from the Dockerfile. */
export function imageEntry() {
  const text = readFileSync(path.join(ROOT, "deploy/Dockerfile"), "utf8");
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(text);
  if (entry === null) throw new Error("the Dockerfile has no ENTRYPOINT");
  return JSON.parse(entry[1]);
}
