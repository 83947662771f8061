package coordinator

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"millrace/scheduler/driver"
)

// routes sets up the HTTP port; front doors add theirs to Coordinator.HTTP, the page everything that nobody else answers.
func (c *Coordinator) routes() {
	c.HTTP.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	c.HTTP.HandleFunc("GET /readyz", c.readyz)
	c.HTTP.Handle("GET /metrics", promhttp.HandlerFor(c.registry(), promhttp.HandlerOpts{}))
}

// readyz says whether a job can be submitted now.
func (c *Coordinator) readyz(w http.ResponseWriter, _ *http.Request) {
	switch {
	case !c.serving.Load():
		http.Error(w, "starting", http.StatusServiceUnavailable)
	case c.workers() == 0:
		http.Error(w, "no worker has joined", http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ready")
	}
}

func (c *Coordinator) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if !c.serving.Load() {
				return 0
			}
			return value()
		}))
	}
	gauge("millrace_workers", "Connected workers.", func() float64 { return float64(c.workers()) })
	gauge("millrace_slots", "Task slots of all connected workers.", func() float64 { return float64(c.Driver.Slots()) })
	gauge("millrace_queries_running", "Queries that have not ended.", func() float64 { return float64(c.Driver.Running()) })
	gauge("millrace_tasks_running", "Tasks that run on all workers.", func() float64 {
		n := 0
		for _, w := range c.Driver.Workers() {
			n += w.Running
		}
		return float64(n)
	})
	for name, k := range map[string]struct {
		help  string
		value func(driver.Cached) int64
	}{
		"millrace_cached_blocks":       {"Partitions of cached frames on all workers.", func(c driver.Cached) int64 { return int64(c.Blocks) }},
		"millrace_cached_memory_bytes": {"Memory of cached frames on all workers.", func(c driver.Cached) int64 { return c.Memory }},
		"millrace_cached_disk_bytes":   {"Files of cached frames on all workers.", func(c driver.Cached) int64 { return c.Disk }},
	} {
		gauge(name, k.help, func() float64 {
			n := int64(0)
			for _, w := range c.Driver.Workers() {
				n += k.value(w.Cached)
			}
			return float64(n)
		})
	}
	gauge("millrace_leader", "1 if this coordinator leads.", func() float64 {
		if c.Leader() {
			return 1
		}
		return 0
	})
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
