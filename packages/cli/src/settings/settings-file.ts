/** A file of settings, in the form that its name says: YAML, JSON, or `key=value` lines. */
import { parseJsonSettings } from "./json-file.js";
import { type PropertiesFile, parseProperties } from "./properties-file.js";
import { parseYamlSettings } from "./yaml-file.js";

/** Never throws: what cannot be read is told with its line. */
export function readSettingsFile(path: string, text: string): PropertiesFile {
  if (/\.ya?ml$/i.test(path)) return parseYamlSettings(text);
  return /\.json$/i.test(path) ? parseJsonSettings(text) : parseProperties(text);
}
