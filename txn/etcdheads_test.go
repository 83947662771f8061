package txn_test

import (
	"millrace/txn"
	"millrace/txn/etcdheads"
)

func init() { txn.NewEtcdHeads = etcdheads.New }
