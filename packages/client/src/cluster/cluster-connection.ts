/** What producers, consumers and admin of one client share: addresses, metadata, calls. */
import type { ResolvedClientOptions } from "../client-options.js";
import type { ClientPorts } from "../ports.js";
import { AddressBook } from "./address-book.js";
import { BrokerCaller } from "./broker-caller.js";
import { ClusterMetadata } from "./cluster-metadata.js";
import { OffsetFinder } from "./offset-finder.js";

export class ClusterConnection {
  readonly addresses: AddressBook;
  readonly caller: BrokerCaller;
  readonly metadata: ClusterMetadata;
  readonly offsets: OffsetFinder;

  constructor(ports: ClientPorts, options: ResolvedClientOptions) {
    this.addresses = new AddressBook(ports.clock, options.bootstrap);
    this.caller = new BrokerCaller(ports, options, this.addresses);
    this.metadata = new ClusterMetadata(ports, options, {
      addresses: this.addresses,
      caller: this.caller,
    });
    this.offsets = new OffsetFinder(ports, options, this.caller);
  }

  /** Ends every call that is under way. */
  close(): void {
    this.metadata.close();
    this.caller.close();
  }
}
