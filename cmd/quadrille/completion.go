package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	predict "github.com/posener/complete"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/deadletter"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/demo"
	"github.com/quadrille-platform/quadrille/platform/gateway"
	"github.com/quadrille-platform/quadrille/schemas"
)

type completionCommand struct {
	kongcompletion.Completion `embed:""`
}

// Help is shown by `quadrille completion --help`.
func (completionCommand) Help() string {
	return `Prints the line that makes a shell complete this program's commands, flags and values, such as the names of
services, topics and event types. Put it in the shell's start file to keep it.

Examples:

  quadrille completion bash              what to put into ~/.bashrc, and how
  quadrille completion zsh --code        the code itself
  quadrille completion fish --code`
}

// complete answers and exits if it is the shell that asks.
func complete(parser *kong.Kong) {
	kongcompletion.Register(parser, kongcompletion.WithPredictors(predictors()))
}

// predictors by the name that a flag's tag gives them.
func predictors() map[string]predict.Predictor {
	var topics, types, tokens []string
	for _, t := range schemas.Topics() {
		topics = append(topics, t.Name)
	}
	for _, r := range schemas.Records() {
		types = append(types, r.Name[strings.LastIndexByte(r.Name, '.')+1:])
	}
	slices.Sort(types)
	for _, token := range gateway.Tokens() {
		tokens = append(tokens, string(token))
	}
	return map[string]predict.Predictor{
		"topic":   predict.PredictSet(topics...),
		"class":   predict.PredictSet(deadletter.Classes()...),
		"type":    predict.PredictSet(types...),
		"from":    predict.PredictSet("beginning", "end"),
		"service": predict.PredictSet(serviceNames()...),
		"step":    predict.PredictSet(demo.Steps()...),
		"token":   predict.PredictSet(tokens...),
		"folder":  predict.PredictDirs("*"),
		"file":    predict.PredictFiles("*"),
	}
}
