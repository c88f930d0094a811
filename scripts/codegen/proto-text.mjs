/** Names and comments of the generated modules. */
import { protobuf } from "./protobuf.mjs";

/** Names that would hide a global of the language. */
const RENAMED = { Error: "ErrorDetail", Record: "RecordMessage" };
const LINE_LENGTH_MAX = 100;

export function typeName(type) {
  const outer = type.parent instanceof protobuf.Type ? typeName(type.parent) : "";
  return outer + (RENAMED[type.name] ?? type.name);
}

export function docs(comment, indent) {
  if (comment === null || comment === undefined || comment === "") return "";
  const lines = comment.split("\n");
  if (lines.length === 1) {
    const line = `${indent}/** ${lines[0]} */`;
    if (fits(line)) return `${line}\n`;
  }
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join("")}${indent} */\n`;
}

export function fits(line) {
  return line.length <= LINE_LENGTH_MAX;
}

export function upperFirst(text) {
  return text[0].toUpperCase() + text.slice(1);
}

export function lowerFirst(text) {
  return text[0].toLowerCase() + text.slice(1);
}

export function constantName(name) {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
