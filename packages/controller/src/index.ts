export {
  Controller,
  type ControllerOptions,
  type ControllerPorts,
  type ControllerProbe,
  type ControllerStatus,
} from "./controller.js";
