import { openGrpcWorld } from "../testing/grpc-world.js";
import { transportSuite } from "../transport-suite.js";

transportSuite("GrpcTransport", openGrpcWorld);
