// Added to the package of a suite: the vendor's host names lead to this machine. The port is in the suite's endpoint.
package oss

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
)

func init() {
	net.DefaultResolver = &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			resolver, server := net.Pipe()
			go func() {
				defer server.Close()
				for answerLocally(server) == nil {
				}
			}()
			return resolver, nil
		},
	}
}

// Reads one question of the DNS in its form for streams, and answers it.
func answerLocally(stream io.ReadWriter) error {
	const headerBytes, typeA = 12, 1
	var length uint16
	if err := binary.Read(stream, binary.BigEndian, &length); err != nil {
		return err
	}
	question := make([]byte, length)
	if _, err := io.ReadFull(stream, question); err != nil {
		return err
	}
	var labels []string
	end := headerBytes
	for end < len(question) && question[end] != 0 {
		next := end + 1 + int(question[end])
		if next >= len(question) {
			return errors.New("the name of the question has no end")
		}
		labels = append(labels, string(question[end+1:next]))
		end = next
	}
	end += 5
	if end > len(question) {
		return errors.New("the question has no type")
	}
	isVendor := strings.HasSuffix(strings.ToLower(strings.Join(labels, ".")), ".aliyuncs.com")
	answer := append([]byte{}, question[:2]...)
	answer = append(answer, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	answer = append(answer, question[headerBytes:end]...)
	if !isVendor {
		answer[3] |= 3 // There is no such name.
	} else if binary.BigEndian.Uint16(question[end-4:]) == typeA {
		answer[7] = 1
		answer = append(answer, 0xc0, headerBytes, 0, typeA, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
	}
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(answer)))
	_, err := stream.Write(append(framed, answer...))
	return err
}
