// Package jobs is the gRPC door of detached jobs: the service of proto/millrace/jobs/v1 over package jobs, and its client.
package jobs
