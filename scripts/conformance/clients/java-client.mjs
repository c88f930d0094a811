/** The Java client: what every broker of the protocol is measured by. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { driverSuite } from "../driver-suite.mjs";
import { KAFKA_VERSION, kafkaJava } from "../kafka-jars.mjs";
import { have } from "../toolchain.mjs";
import { RemoteDriver } from "./remote-driver.mjs";

const SOURCE = path.join(path.dirname(fileURLToPath(import.meta.url)), "../java/ClientDriver.java");

let command;

export const javaClient = driverSuite({
  name: "java-client",
  version: async (workspace, say) => {
    const java = await kafkaJava(workspace, say);
    const classes = workspace.newDirectory("java-classes");
    const classPath = java.at(-1);
    await have(workspace, ["javac", "-nowarn", "-cp", classPath, "-d", classes, SOURCE]);
    const withOurs = `${classPath}${path.delimiter}${classes}`;
    command = ["java", ...java.slice(0, -1), withOurs, "ClientDriver"];
    return KAFKA_VERSION;
  },
  open: async ({ bootstrap, workspace }) =>
    await RemoteDriver.open(workspace, command, { bootstrap }),
});
