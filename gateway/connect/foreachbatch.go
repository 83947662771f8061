package connect

import (
	"context"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/python"
	"millrace/session"
)

// batchFunction is a query's function of foreachBatch in a process of its own.
type batchFunction struct {
	s      *Service
	sess   *session.Session
	worker *python.Worker
	agent  string // marks the requests of the process
}

// batchFunction starts the process in which foreachBatch's function is called.
func (s *Service) batchFunction(ctx context.Context, sess *session.Session, f *pb.StreamingForeachFunction) (*batchFunction, error) {
	udf := f.GetPythonFunction()
	if udf == nil {
		return nil, errs.Unsupportedf("writeStream.foreachBatch with a function in Scala is not supported; Python's are.")
	}
	if s.o.Self == "" {
		return nil, errs.Unsupportedf("writeStream.foreachBatch is not supported by this server: it does not know its own address.")
	}
	exe, err := python.Find(ctx, udf.PythonVer, sess.Conf.Get("spark.pyspark.python"), "grpc")
	if err != nil {
		return nil, err
	}
	b := &batchFunction{s: s, sess: sess, agent: "foreachBatch-" + uuid.NewString()}
	remote := s.o.Self
	if !strings.Contains(remote, "/;") {
		remote = strings.TrimSuffix(remote, "/") + "/"
	}
	remote += ";user_id=" + strings.ReplaceAll(url.QueryEscape(sess.User), "+", "%20") + ";user_agent=" + b.agent
	files := map[string]string{}
	for _, name := range sess.Artifacts.Names("pyfiles/") {
		files[name] = sess.Artifacts.Path(name)
	}
	b.worker, err = python.StartBatch(ctx, python.Batch{Executable: exe, Version: udf.PythonVer, Function: udf.Command, Session: sess.ID,
		User: sess.User, Remote: remote, Env: s.o.SelfEnv, Files: files, Log: s.o.Log})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// call gives the function a micro-batch. The frame of it is forgotten when the function returns; what it made of it stays.
func (b *batchFunction) call(ctx context.Context, rows plan.Node, batchID int64) error {
	id := uuid.NewString()
	b.sess.KeepFrame(id, rows)
	defer b.sess.DropFrame(id)
	err := b.worker.Run(ctx, id, batchID)
	if err != nil {
		b.interrupt()
	}
	return err
}

// interrupt cancels what a process that has been killed still runs in the session.
func (b *batchFunction) interrupt() {
	b.s.mu.Lock()
	var left []*execution
	for key, e := range b.s.executions {
		if key.session == b.sess.Key && strings.Contains(e.request.GetClientType(), b.agent) && !e.log.finished() {
			left = append(left, e)
		}
	}
	b.s.mu.Unlock()
	for _, e := range left {
		b.sess.InterruptID(e.id)
	}
}

// follow ends the process when its query has ended.
func (b *batchFunction) follow(q session.StreamingQuery) {
	_, _ = q.Await(context.Background(), 0) // its error is told to those who ask for it
	b.close()
}

func (b *batchFunction) close() {
	b.worker.Close()
	b.interrupt()
}
