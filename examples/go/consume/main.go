// Consume reads a topic from its beginning to where it ends now.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"

	"strandline.example/cluster"
	pb "strandline.example/strandlinev1"
)

// Consumer knows how far each partition was read.
type Consumer struct {
	cluster.Arguments
	positions map[int32]*pb.StartPosition
}

func main() {
	consumer := &Consumer{cluster.ReadArguments(), map[int32]*pb.StartPosition{}}
	cluster.Exit(cluster.OnAnyBroker(consumer.Brokers, consumer.findPartitions))
	cluster.Exit(cluster.OnAnyBroker(consumer.Brokers, consumer.readToEnd))
}

func (c *Consumer) findPartitions(ctx context.Context, broker grpc.ClientConnInterface, _ func()) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	topic, err := pb.NewAdminClient(broker).DescribeTopic(ctx, &pb.DescribeTopicRequest{Name: c.Topic})
	if err != nil {
		return err
	}
	for _, each := range topic.Partitions {
		c.positions[each.Partition] = &pb.StartPosition{
			Position: &pb.StartPosition_Earliest{Earliest: true},
		}
	}
	return nil
}

// readToEnd goes on from the positions, wherever an earlier attempt broke off.
func (c *Consumer) readToEnd(ctx context.Context, broker grpc.ClientConnInterface, progress func()) error {
	// Without StopAtEnd the stream goes on for ever, with what comes as it comes.
	request := &pb.ConsumeRequest{StopAtEnd: true}
	for partition, start := range c.positions {
		request.Partitions = append(request.Partitions, &pb.ConsumePartition{
			Topic: c.Topic, Partition: partition, Start: start,
		})
	}
	stream, err := pb.NewLogClient(broker).Consume(ctx, request)
	if err != nil {
		return err
	}
	for {
		response, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if response.Error != nil {
			return cluster.Refused(response.Error)
		}
		progress()
		for _, record := range response.Records {
			if c.JSON {
				fmt.Println(jsonOf(response.Partition, record))
			} else {
				fmt.Println(lineOf(response.Partition, record))
			}
		}
		c.positions[response.Partition] = &pb.StartPosition{
			Position: &pb.StartPosition_Offset{Offset: response.NextOffset},
		}
	}
}

func lineOf(partition int32, record *pb.Record) string {
	var names []string
	for _, header := range record.Headers {
		names = append(names, header.Key)
	}
	key, value := textOf(record.Key), textOf(record.Value)
	return fmt.Sprintf("%d/%d %s = %s [%s]", partition, record.Offset, key, value, strings.Join(names, ","))
}

func textOf(bytes []byte) string {
	if bytes == nil {
		return "null"
	}
	return string(bytes)
}

// jsonOf is the record in protobuf's JSON mapping, as tools such as grpcurl print it: bytes as base64.
// A pointer leaves out what is nil and keeps what is empty.
func jsonOf(partition int32, record *pb.Record) string {
	type header struct {
		Key   string  `json:"key"`
		Value *[]byte `json:"value,omitempty"`
	}
	headers := []header{}
	for _, each := range record.Headers {
		headers = append(headers, header{each.Key, orNil(each.Value)})
	}
	line, _ := json.Marshal(struct {
		Partition int32    `json:"partition"`
		Offset    string   `json:"offset"`
		Key       *[]byte  `json:"key,omitempty"`
		Value     *[]byte  `json:"value,omitempty"`
		Headers   []header `json:"headers"`
	}{partition, strconv.FormatInt(record.Offset, 10), orNil(record.Key), orNil(record.Value), headers})
	return string(line)
}

func orNil(bytes []byte) *[]byte {
	if bytes == nil {
		return nil
	}
	return &bytes
}
