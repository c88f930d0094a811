/**
 * The Java client and the tools of Apache Kafka, fetched once by Maven into the cache under
 * node_modules. Nothing of it enters the project.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CACHE, have } from "./toolchain.mjs";

export const KAFKA_VERSION = "4.3.1";
const LOGGER_VERSION = "1.7.36";
const FETCH_MS = 10 * 60_000;

/** Resolves with the arguments of `java` that come before the name of a class. */
export async function kafkaJava(workspace, say) {
  await have(workspace, ["java", "-version"]);
  const directory = path.join(CACHE, `kafka-${KAFKA_VERSION}`);
  const libraries = path.join(directory, "libs");
  const mark = path.join(directory, "complete");
  if (!existsSync(mark)) {
    await have(workspace, ["mvn", "--version"]);
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, "pom.xml"), pom());
    say("fetching Kafka's jars: a minute or two, once");
    const copy = ["dependency:copy-dependencies", `-DoutputDirectory=${libraries}`];
    await have(workspace, ["mvn", "-q", "-B", ...copy], { cwd: directory, timeoutMs: FETCH_MS });
    writeFileSync(mark, "");
  }
  const quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error";
  return ["-Xmx256M", quiet, "-cp", path.join(libraries, "*")];
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
    "<modelVersion>4.0.0</modelVersion><groupId>conformance</groupId>",
    "<artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>",
    `<dependencies>${dependencies.join("\n")}</dependencies></project>`,
  ].join("\n");
}
