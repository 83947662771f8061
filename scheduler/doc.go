// Package scheduler decides which worker runs which task of which job, and what to do when one of them dies.
//
// It is a pure state machine: events go in through Step, decisions come out, and there is no clock, goroutine, randomness or
// I/O inside, so that the same events always give the same decisions and a whole cluster can be simulated by the thousand.
//
//	s := scheduler.New(scheduler.Config{})
//	out := s.Step(scheduler.WorkerJoined{Worker: "w1", Slots: 4}, nil)
//	out = s.Step(scheduler.JobSubmitted{Job: job}, out)   // … Launch{Worker: "w1", …}
//
// A *staged* job runs a stage once its inputs are whole; a task takes a slot of its worker; what a dead worker had finished is
// computed again if somebody still needs it. A *pipelined* job runs all tasks of all stages at once as one gang, whatever the
// slots, and starts again as a whole when any part is lost. A task that is lost (its worker or its input went away) is not a
// task that failed: only failures use up the budget of attempts, though losses are bounded too.
//
// When the inputs of a staged job's stage are whole for the first time package adaptive may cut its tasks anew (Stage.Adapt, Adapted, Launch.Slice).
//
// The reader of the final stage is part of the machine: it reports ResultStarted before it hands out the first row of an output,
// waits for ResultGranted (from then on that output must not change) and reports ResultRead when it has all; a job succeeds when all is read.
//
// The package must not know of plans, networks or files; package driver runs it with real workers.
package scheduler
