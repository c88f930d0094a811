/** The Java client: what every broker of the protocol is measured by. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { KAFKA_VERSION, kafkaClassPath, kafkaJava } from "../../lab/kafka-jars.mjs";
import { have } from "../../lab/toolchain.mjs";
import { driverSuite } from "../driver-suite.mjs";
import { RemoteDriver } from "./remote-driver.mjs";

const SOURCE = path.join(path.dirname(fileURLToPath(import.meta.url)), "../java/ClientDriver.java");

let command;

export const javaClient = driverSuite({
  name: "java-client",
  version: async (workspace, say) => {
    const classPath = await kafkaClassPath(workspace, say);
    const classes = workspace.newDirectory("java-classes");
    await have(workspace, ["javac", "-nowarn", "-cp", classPath, "-d", classes, SOURCE]);
    command = [...kafkaJava(`${classPath}${path.delimiter}${classes}`), "ClientDriver"];
    return KAFKA_VERSION;
  },
  open: async ({ bootstrap, workspace }) =>
    await RemoteDriver.open(workspace, command, { bootstrap }),
});
