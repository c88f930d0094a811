/**
 * A TCP proxy on the loopback interface whose connections can be cut or silenced: how tests make a
 * peer vanish, or the network swallow what is sent, inside one process.
 */
import net from "node:net";

export class CuttableProxy {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #isSilent = false;

  /** Forwards connections to `port` of this host to `targetPort`. */
  static open(port: number, targetPort: number): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(targetPort);
    return new Promise((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(port, "127.0.0.1", () => resolve(proxy));
    });
  }

  private constructor(targetPort: number) {
    this.#server = net.createServer((inbound) => {
      const outbound = net.connect(targetPort, "127.0.0.1");
      this.#forward(inbound, outbound);
      this.#forward(outbound, inbound);
    });
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** Frees the port; connections stay. */
  stopListening(): void {
    this.#server.close();
  }

  /** Resets every connection and frees the port, as the kernel does for a killed process. */
  cut(): void {
    this.stopListening();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** From now on nothing arrives anywhere, and nobody is told. */
  silence(): void {
    this.#isSilent = true;
  }

  #forward(from: net.Socket, to: net.Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (chunk) => {
      if (this.#isSilent) return;
      if (to.write(chunk)) return;
      from.pause();
      to.once("drain", () => from.resume());
    });
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
