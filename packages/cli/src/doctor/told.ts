/** What a Kafka listener tells clients, in words: for the log of a start and for the doctor. */
import { isWildcard, kafkaEndpoint, type NodeRegistration } from "@strandline/metadata";
import { formatHostPort, type KafkaListenerConfig } from "@strandline/server";

/** Stands for the host by which a client came in. */
const ANY_HOST = "<host>";

/** Of this broker; ends the sentence "clients are told …". */
export function toldBy(listener: KafkaListenerConfig): string {
  const { name, advertised } = listener;
  const bound = { host: isWildcard(listener.host) ? ANY_HOST : listener.host, port: listener.port };
  const self = { id: 0 as NodeRegistration["id"], peerAddress: "" };
  const told = kafkaEndpoint(
    {
      ...self,
      kafkaListeners: [{ name, ...(advertised ?? bound), isAdvertised: advertised !== undefined }],
    },
    { listener: name, local: bound, self },
  );
  if (told === undefined) return "of no broker";
  if (told.host === ANY_HOST) {
    return `the address that each of them connected to, port ${told.port}`;
  }
  return formatHostPort(told);
}
