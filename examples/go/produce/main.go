// Produce streams records to a topic and prints where each was stored.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"strandline.example/cluster"
	pb "strandline.example/strandlinev1"
)

// One request is one batch per partition on disk: a few records or a few thousand, as you like.
const recordsPerRequest = 20

// Producer knows what is not acknowledged.
//
// Plain records are stored at least once: when a connection breaks before the answer, nobody knows
// whether they were stored, and sending them again may store them twice, behind younger ones.
// Whoever needs exactly once sends encoded batches with sequence numbers.
type Producer struct {
	topic string
	// Numbers of the records that are to be sent, or sent again.
	pending []int
}

func main() {
	arguments := cluster.ReadArguments()
	producer := &Producer{topic: arguments.Topic}
	for number := range arguments.Count {
		producer.pending = append(producer.pending, number)
	}
	cluster.Exit(cluster.OnAnyBroker(arguments.Brokers, producer.sendPending))
}

// sendPending holds one stream with everything pending; fails while some of it was not stored.
func (p *Producer) sendPending(ctx context.Context, broker grpc.ClientConnInterface, progress func()) error {
	stream, err := pb.NewLogClient(broker).ProduceStream(ctx)
	if err != nil {
		return err
	}
	chunks := chunksOf(p.pending)
	go p.send(stream, chunks)
	stored := map[int]bool{}
	defer func() { p.pending = without(p.pending, stored) }()
	var refusal *pb.Error
	for {
		response, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		// Answers may come in another order than the requests: the correlation id tells them apart.
		chunk := chunks[response.CorrelationId]
		errors := []*pb.Error{response.Error}
		// The records of one request may go to several partitions, and some of those may fail.
		for at, position := range response.Positions {
			errors = append(errors, position.Error)
			if position.Error != nil {
				continue
			}
			stored[chunk[at]] = true
			progress()
			fmt.Printf("record %d -> partition %d offset %d\n", chunk[at], position.Partition, position.Offset)
		}
		for _, each := range errors {
			if each != nil && !each.Retriable {
				return cluster.Refused(each)
			} else if each != nil {
				refusal = each
			}
		}
	}
	// What was refused is sent again on the next stream.
	if refusal != nil {
		return cluster.Refused(refusal)
	}
	return nil
}

// send stops when the stream breaks; whoever receives is told why.
func (p *Producer) send(stream grpc.BidiStreamingClient[pb.ProduceRequest, pb.ProduceResponse], chunks [][]int) {
	for id, chunk := range chunks {
		// No partition: the broker takes the one that each key chooses.
		request := &pb.ProduceRequest{CorrelationId: int64(id), Topic: p.topic}
		for _, number := range chunk {
			request.Records = append(request.Records, recordOf(number))
		}
		if stream.Send(request) != nil {
			return
		}
	}
	_ = stream.CloseSend()
}

// recordOf makes every tenth without key; some values are nil (which deletes on a compacted topic),
// some empty: nil means null, an empty slice does not.
func recordOf(number int) *pb.Record {
	record := &pb.Record{Headers: []*pb.Header{
		{Key: "source", Value: []byte("go")},
		{Key: "number", Value: binary.BigEndian.AppendUint32(nil, uint32(number))},
		{Key: "note"},
	}}
	if number%10 != 9 {
		record.Key = fmt.Appendf(nil, "user-%d", number%10)
	}
	switch number % 25 {
	case 24:
	case 12:
		record.Value = []byte{}
	default:
		record.Value = fmt.Appendf(nil, "record %d ✓", number)
	}
	return record
}

func chunksOf(numbers []int) (chunks [][]int) {
	for at := 0; at < len(numbers); at += recordsPerRequest {
		chunks = append(chunks, numbers[at:min(at+recordsPerRequest, len(numbers))])
	}
	return chunks
}

func without(numbers []int, stored map[int]bool) (rest []int) {
	for _, number := range numbers {
		if !stored[number] {
			rest = append(rest, number)
		}
	}
	return rest
}
