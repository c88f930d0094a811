/** The two Python clients, as the system's Python has them. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { have } from "../../lab/toolchain.mjs";
import { driverSuite } from "../driver-suite.mjs";
import { RemoteDriver } from "./remote-driver.mjs";

const PROGRAMS = path.join(path.dirname(fileURLToPath(import.meta.url)), "../python");
/** A distribution's packages belong to its own Python, not to one that a user put before it. */
const PYTHON = "/usr/bin/python3";
const ARGUMENTS = ["-u", "-B", "-W", "ignore"];

export const confluentKafka = pythonSuite("confluent-kafka-python", "confluent_driver.py");
export const kafkaPython = pythonSuite("kafka-python", "kafka_python_driver.py");

function pythonSuite(name, file) {
  const command = [PYTHON, ...ARGUMENTS, path.join(PROGRAMS, file)];
  return driverSuite({
    name,
    version: async (workspace) => (await have(workspace, [...command, "--version"])).trim(),
    open: async ({ bootstrap, workspace }) =>
      await RemoteDriver.open(workspace, command, { bootstrap }),
  });
}
