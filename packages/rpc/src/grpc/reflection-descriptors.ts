/**
 * Makes file descriptors of the loader what a protobuf compiler would have written. As they come,
 * strict readers such as grpcurl refuse them: the entry type of a map is named after its field
 * alone, an optional field is told as a oneof of its own, among the real ones, and names for JSON
 * are missing.
 */
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from "@grpc/proto-loader";

interface FieldDescriptor {
  readonly name: string;
  jsonName?: string;
  typeName?: string;
  oneofIndex?: number;
  proto3Optional?: boolean;
}

interface MessageDescriptor {
  name: string;
  readonly field?: readonly FieldDescriptor[];
  readonly nestedType?: readonly MessageDescriptor[];
  readonly options?: { readonly mapEntry?: boolean };
  oneofDecl?: readonly { readonly name: string }[];
}

interface FileDescriptor {
  readonly messageType?: readonly MessageDescriptor[];
}

/** The same definitions with corrected descriptors; enough for reflection, and for nothing else. */
export function withStrictDescriptors(loaded: PackageDefinition): PackageDefinition {
  const descriptors = loadSync("google/protobuf/descriptor.proto");
  const file = descriptors["google.protobuf.FileDescriptorProto"] as MessageTypeDefinition<
    FileDescriptor,
    FileDescriptor
  >;
  // All definitions that were loaded together share one list of files.
  const corrected = new Map<readonly Buffer[], Buffer[]>();
  const definitions: PackageDefinition = {};
  for (const [name, definition] of Object.entries(loaded)) {
    if (!isMessage(definition)) continue;
    let files = corrected.get(definition.fileDescriptorProtos);
    if (files === undefined) {
      files = definition.fileDescriptorProtos.map((bytes) => {
        const descriptor = file.deserialize(bytes);
        for (const message of descriptor.messageType ?? []) correct(message);
        return file.serialize(descriptor);
      });
      corrected.set(definition.fileDescriptorProtos, files);
    }
    definitions[name] = { ...definition, fileDescriptorProtos: files };
  }
  return definitions;
}

function isMessage(
  definition: PackageDefinition[string],
): definition is MessageTypeDefinition<object, object> {
  return "fileDescriptorProtos" in definition;
}

function correct(message: MessageDescriptor): void {
  for (const nested of message.nestedType ?? []) correct(nested);
  for (const field of message.field ?? []) field.jsonName = lowerCamelCase(field.name);
  nameMapEntries(message);
  tellOptionals(message);
}

/** The entry of the map `rack_ids` is the type RackIdsEntry. */
function nameMapEntries(message: MessageDescriptor): void {
  for (const entry of message.nestedType ?? []) {
    if (entry.options?.mapEntry !== true) continue;
    const field = message.field?.find((each) => each.typeName === entry.name);
    if (field === undefined) continue;
    entry.name = `${upperCamelCase(field.name)}Entry`;
    field.typeName = entry.name;
  }
}

/** The oneof `_key` that holds nothing but an optional `key`: marked, and after the real ones. */
function tellOptionals(message: MessageDescriptor): void {
  const oneofs = message.oneofDecl ?? [];
  const isSynthetic = (oneof: { readonly name: string }): boolean => oneof.name.startsWith("_");
  const ordered = [
    ...oneofs.filter((each) => !isSynthetic(each)),
    ...oneofs.filter((each) => isSynthetic(each)),
  ];
  message.oneofDecl = ordered;
  for (const field of message.field ?? []) {
    const oneof = field.oneofIndex === undefined ? undefined : oneofs[field.oneofIndex];
    if (oneof === undefined) continue;
    field.oneofIndex = ordered.indexOf(oneof);
    if (isSynthetic(oneof)) field.proto3Optional = true;
  }
}

function lowerCamelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function upperCamelCase(name: string): string {
  return lowerCamelCase(`_${name}`);
}
