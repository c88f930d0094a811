export {
  Controller,
  type ControllerOptions,
  type ControllerPorts,
  type ControllerStatus,
} from "./controller.js";
