// Produce streams records to a topic and prints where each was stored.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"

	"google.golang.org/grpc"

	"strandline.example/cluster"
	pb "strandline.example/strandlinev1"
)

const (
	// One request is one batch per partition on disk: a few records or a few thousand, as you like.
	recordsPerRequest = 20
	requestsUnderWay  = 16
)

// Producer knows what is not acknowledged.
//
// Plain records are stored at least once: when a connection breaks before the answer, nobody knows
// whether they were stored, and sending them again may store them twice, behind younger ones. What
// is under way bounds how many. Whoever needs exactly once sends encoded batches with sequence numbers.
type Producer struct {
	topic string
	// Numbers of the records that are to be sent, or sent again.
	pending map[int]bool
}

func main() {
	arguments := cluster.ReadArguments()
	producer := &Producer{arguments.Topic, map[int]bool{}}
	for number := range arguments.Count {
		producer.pending[number] = true
	}
	cluster.Exit(cluster.OnAnyBroker(arguments.Brokers, producer.sendPending))
}

// sendPending holds one stream with everything pending; fails while some of it was not stored.
func (p *Producer) sendPending(ctx context.Context, broker grpc.ClientConnInterface, progress func()) error {
	stream, err := pb.NewLogClient(broker).ProduceStream(ctx)
	if err != nil {
		return err
	}
	chunks := chunksOf(slices.Sorted(maps.Keys(p.pending)))
	var refusal error
	sent := 0
	for answered := range chunks {
		for ; sent < len(chunks) && sent-answered < requestsUnderWay; sent++ {
			if stream.Send(p.requestOf(sent, chunks[sent])) != nil {
				break // Recv tells why.
			}
		}
		response, err := stream.Recv()
		if err == io.EOF {
			return &cluster.Failure{Code: "UNAVAILABLE", Message: "the stream ended early", Retriable: true}
		}
		if err != nil {
			return err
		}
		// Answers may come in another order than the requests: the correlation id tells them apart.
		for _, refused := range p.settle(chunks[response.CorrelationId], response, progress) {
			refusal = cluster.Refused(refused)
			if !refused.Retriable {
				return refusal
			}
		}
	}
	// What was refused is sent again on the next stream.
	return refusal
}

func (p *Producer) requestOf(id int, numbers []int) *pb.ProduceRequest {
	// No partition: the broker takes the one that each key chooses.
	request := &pb.ProduceRequest{CorrelationId: int64(id), Topic: p.topic}
	for _, number := range numbers {
		request.Records = append(request.Records, recordOf(number))
	}
	return request
}

// settle prints what was stored. It returns why the rest was not.
func (p *Producer) settle(numbers []int, response *pb.ProduceResponse, progress func()) (refused []*pb.Error) {
	if response.Error != nil {
		return []*pb.Error{response.Error}
	}
	// The records of one request may go to several partitions, and some of those may fail.
	for at, position := range response.Positions {
		if position.Error != nil {
			refused = append(refused, position.Error)
			continue
		}
		delete(p.pending, numbers[at])
		progress()
		fmt.Printf("record %d -> partition %d offset %d\n", numbers[at], position.Partition, position.Offset)
	}
	return refused
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
