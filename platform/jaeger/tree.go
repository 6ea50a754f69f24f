package jaeger

import (
	"slices"
	"time"
)

// Node is a span with what it led to.
type Node struct {
	Span
	Children []*Node // in the order in which they began
}

// Tree returns the spans of the trace that have no parent in it, with their children. There is more than one if a span
// is missing, because its service has not exported it yet or records nothing.
func (t Trace) Tree() []*Node {
	nodes := make(map[string]*Node, len(t.Spans))
	for _, s := range t.Spans {
		nodes[s.ID] = &Node{Span: s}
	}
	var roots []*Node
	for _, s := range t.Spans {
		node := nodes[s.ID]
		if parent := nodes[s.Parent]; parent != nil && parent != node {
			parent.Children = append(parent.Children, node)
		} else {
			roots = append(roots, node)
		}
	}
	for _, node := range nodes {
		slices.SortStableFunc(node.Children, func(a, b *Node) int { return a.Start.Compare(b.Start) })
	}
	return roots
}

// Duration is the time from the begin of its first span to the end of its last.
func (t Trace) Duration() time.Duration {
	if len(t.Spans) == 0 {
		return 0
	}
	end := t.Spans[0].End()
	for _, s := range t.Spans {
		if s.End().After(end) {
			end = s.End()
		}
	}
	return end.Sub(t.start())
}

// Services that have spans in it, each once, in the order of their first ones.
func (t Trace) Services() []string {
	var names []string
	for _, s := range t.Spans {
		if !slices.Contains(names, s.Service) {
			names = append(names, s.Service)
		}
	}
	return names
}
