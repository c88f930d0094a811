/**
 * The jars of Apache Kafka: its brokers, its clients and its tools, fetched once by Maven from Maven's
 * own registry. Needs `java` (17 or newer) and `mvn` on the path.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { cached } from "./cache.mjs";
import { have } from "./toolchain.mjs";

export const KAFKA_VERSION = "4.3.1";
const LOGGER_VERSION = "1.7.36";
const FETCH_MS = 10 * 60_000;

/** Resolves with the class path that has them all. */
export async function kafkaClassPath(workspace, say) {
  await have(workspace, ["java", "-version"]);
  const jars = await cached(`kafka-${KAFKA_VERSION}/libs`, async (directory) => {
    await have(workspace, ["mvn", "--version"]);
    const project = workspace.newDirectory("kafka-jars");
    writeFileSync(path.join(project, "pom.xml"), pom());
    say?.("fetching Kafka's jars: a minute or two, once");
    const copy = ["dependency:copy-dependencies", `-DoutputDirectory=${directory}`];
    await have(workspace, ["mvn", "-q", "-B", ...copy], { cwd: project, timeoutMs: FETCH_MS });
  });
  return path.join(jars, "*");
}

/** A command up to the name of the class: what that one logs goes to standard error. */
export function kafkaJava(classPath, { flags = ["-Xmx256M"], level = "error" } = {}) {
  return ["java", ...flags, `-Dorg.slf4j.simpleLogger.defaultLogLevel=${level}`, "-cp", classPath];
}

function pom() {
  const dependencies = [
    ["org.apache.kafka", "kafka_2.13", KAFKA_VERSION],
    ["org.apache.kafka", "kafka-tools", KAFKA_VERSION],
    ["org.slf4j", "slf4j-simple", LOGGER_VERSION],
  ].map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>` +
      `<version>${version}</version></dependency>`,
  );
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0">',
    "<modelVersion>4.0.0</modelVersion><groupId>lab</groupId>",
    "<artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>",
    `<dependencies>${dependencies.join("\n")}</dependencies></project>`,
  ].join("\n");
}
