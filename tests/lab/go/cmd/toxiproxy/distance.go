// Copyright: openmig contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

package main

import (
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// distance is a long way with a bounded window: every byte arrives Latency
// milliseconds after it was sent, and no more than Window bytes are under way
// at once, as with TCP. The proxy's own latency takes in up to 1024 chunks,
// so that throughput over it hardly suffers.
type distance struct {
	Latency int64 `json:"latency"`
	Window  int64 `json:"window"`
}

// Pipe carries one connection's bytes in one direction, in order, dropping none.
func (d *distance) Pipe(stub *toxics.ToxicStub) {
	var underWay []*stream.StreamChunk
	var bytes int64
	closing := false
	delay := time.Duration(d.Latency) * time.Millisecond
	deliver := func() {
		stub.Output <- underWay[0]
		bytes -= int64(len(underWay[0].Data))
		underWay = underWay[1:]
	}
	for {
		if closing && len(underWay) == 0 {
			stub.Close()
			return
		}
		var input <-chan *stream.StreamChunk
		if !closing && (len(underWay) == 0 || bytes < d.Window) {
			input = stub.Input
		}
		var due <-chan time.Time
		if len(underWay) > 0 {
			due = time.After(time.Until(underWay[0].Timestamp.Add(delay)))
		}
		select {
		case <-stub.Interrupt:
			for len(underWay) > 0 {
				deliver()
			}
			return
		case chunk := <-input:
			if chunk == nil {
				closing = true
				continue
			}
			// What had to wait for room in the window sets out only now.
			chunk.Timestamp = time.Now()
			underWay = append(underWay, chunk)
			bytes += int64(len(chunk.Data))
		case <-due:
			deliver()
		}
	}
}

func init() {
	toxics.Register("distance", new(distance))
}
