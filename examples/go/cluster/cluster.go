// Package cluster finds a broker that answers, and tells why a call failed.
package cluster

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	pb "strandline.example/strandlinev1"
)

const (
	// An election takes less than a second; nothing that retries can cure takes longer than this.
	patience = 10 * time.Second
	pause    = 250 * time.Millisecond
)

// Failure tells why a request failed. Code is the error's name in the Kafka protocol, or gRPC's own.
type Failure struct {
	Code, Message string
	Retriable     bool
}

func (f *Failure) Error() string {
	hint := "not retriable"
	if f.Retriable {
		hint = "retriable: try again later"
	}
	return fmt.Sprintf("%s (%s): %s", f.Code, hint, f.Message)
}

// Refused is the failure that a strandline.v1.Error tells of, as it stands inside answers.
func Refused(e *pb.Error) *Failure {
	return &Failure{Code: e.GetCode(), Message: e.GetMessage(), Retriable: e.GetRetriable()}
}

// failureOf reads the status of a call: a broker's refusal carries a strandline.v1.Error as its detail.
func failureOf(err error) *Failure {
	var failure *Failure
	if errors.As(err, &failure) {
		return failure
	}
	ended := status.Convert(err)
	for _, detail := range ended.Details() {
		if refusal, ok := detail.(*pb.Error); ok {
			return Refused(refusal)
		}
	}
	// No broker's words: the connection broke, or was never made.
	retriable := ended.Code() == codes.Unavailable || ended.Code() == codes.DeadlineExceeded
	return &Failure{Code: ended.Code().String(), Message: ended.Message(), Retriable: retriable}
}

// Attempt does its work with one broker. It calls progress whenever it got somewhere.
type Attempt func(ctx context.Context, broker grpc.ClientConnInterface, progress func()) error

// OnAnyBroker makes the attempt with one broker after another until it succeeds, fails for good, or
// has got nowhere for too long. Any broker serves any client: one that does not lead a partition
// forwards.
func OnAnyBroker(brokers []string, attempt Attempt) error {
	last := time.Now()
	progress := func() { last = time.Now() }
	for count := 0; ; count++ {
		err := once(brokers[count%len(brokers)], attempt, progress)
		if err == nil {
			return nil
		}
		failure := failureOf(err)
		if !failure.Retriable || time.Since(last) > patience {
			return failure
		}
		time.Sleep(pause)
	}
}

func once(address string, attempt Attempt, progress func()) error {
	broker, err := grpc.NewClient(
		address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// A broker that hangs keeps its connection: only a ping without answer tells.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
		// The default of 4 MiB is less than an answer may hold: one batch, however large, comes whole.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)),
	)
	if err != nil {
		return err
	}
	defer broker.Close()
	// Ends the streams that the attempt leaves open.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return attempt(ctx, broker, progress)
}

// Arguments are what both programs take on the command line.
type Arguments struct {
	Brokers []string
	Topic   string
	Count   int
	JSON    bool
}

func ReadArguments() Arguments {
	brokers := flag.String("brokers", "127.0.0.1:50051,127.0.0.1:50052,127.0.0.1:50053", "")
	topic := flag.String("topic", "hello", "")
	count := flag.Int("count", 100, "records to produce")
	json := flag.Bool("json", false, "print records as JSON")
	flag.Parse()
	return Arguments{strings.Split(*brokers, ","), *topic, *count, *json}
}

// Exit ends the program, saying what stopped it.
func Exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
