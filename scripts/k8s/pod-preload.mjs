/**
 * Makes a process believe that it runs in a pod: `node --import` this file. Its host name is the
 * pod's; names are looked up in a file, by the search list of a pod's resolv.conf, instead of by the
 * system; and "every interface" is the pod's own address, because all pods use the same ports.
 *
 *   IN_POD_HOST_NAME, IN_POD_ADDRESS (none: a process that serves nobody), IN_POD_SEARCH, IN_POD_HOSTS
 */
import dns from "node:dns";
import { readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import os from "node:os";

const { IN_POD_HOST_NAME, IN_POD_ADDRESS, IN_POD_SEARCH, IN_POD_HOSTS } = process.env;

os.hostname = () => IN_POD_HOST_NAME;

/** The file is read at each question: addresses change. */
function addressesOf(name) {
  if (net.isIP(name) !== 0) return [name];
  if (name === "localhost") return ["127.0.0.1"];
  const hosts = JSON.parse(readFileSync(IN_POD_HOSTS, "utf8"));
  for (const domain of [...IN_POD_SEARCH.split(" "), ""]) {
    const addresses = hosts[domain === "" ? name : `${name}.${domain}`];
    if (addresses !== undefined && addresses.length > 0) return addresses;
  }
  throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), {
    code: "ENOTFOUND",
    syscall: "getaddrinfo",
    hostname: name,
  });
}

function lookedUp(name, options) {
  const found = addressesOf(name).map((address) => ({ address, family: net.isIP(address) }));
  return options?.all === true ? found : found[0];
}

dns.promises.lookup = async (name, options) => lookedUp(name, options);
dns.lookup = (name, options, callback) => {
  const done = callback ?? options;
  const wanted = callback === undefined ? {} : options;
  queueMicrotask(() => {
    let found;
    try {
      found = lookedUp(name, wanted);
    } catch (error) {
      done(error);
      return;
    }
    if (Array.isArray(found)) done(null, found);
    else done(null, found.address, found.family);
  });
};

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function listenInPod(...args) {
  const here = args.map((argument) => {
    if (argument === "0.0.0.0") return IN_POD_ADDRESS;
    if (argument?.host === "0.0.0.0") return { ...argument, host: IN_POD_ADDRESS };
    return argument;
  });
  return listen.apply(this, here);
};

syncBuiltinESMExports();
