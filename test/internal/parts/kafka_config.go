package parts

import (
	"fmt"
	"strings"
)

// kafkaLogging has it say what it warns of, and when it has started.
const kafkaLogging = `
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %m (%c)%n
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = INFO
`

// configuration of a node. Sessions are short, so that what was killed is missed within seconds; those of consumers are
// as the embedded broker has them.
func (k *Kafka) configuration(i int, logs string) string {
	n, copies, inSync := k.nodes[i], 1, 1
	if len(k.nodes) >= 3 {
		copies, inSync = 3, 2
	}
	var controllers []string
	for _, n := range k.nodes {
		controllers = append(controllers, n.controller)
	}
	lines := []string{
		"process.roles=broker,controller",
		fmt.Sprint("node.id=", i),
		fmt.Sprintf("listeners=CLIENT://%s,PEER://%s,CONTROLLER://%s", n.listens, n.peer, n.controller),
		fmt.Sprintf("advertised.listeners=CLIENT://%s,PEER://%s,CONTROLLER://%s", n.advertised, n.peer, n.controller),
		"listener.security.protocol.map=CLIENT:PLAINTEXT,PEER:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name=PEER",
		"controller.listener.names=CONTROLLER",
		"controller.quorum.bootstrap.servers=" + strings.Join(controllers, ","),
		"log.dirs=" + logs,
		"auto.create.topics.enable=false",
		fmt.Sprint("default.replication.factor=", copies),
		fmt.Sprint("min.insync.replicas=", inSync),
		"offsets.topic.num.partitions=4",
		"transaction.state.log.num.partitions=4",
		"share.coordinator.state.topic.num.partitions=4",
		"broker.heartbeat.interval.ms=1000",
		"broker.session.timeout.ms=6000",
		"group.initial.rebalance.delay.ms=0",
		"group.consumer.session.timeout.ms=3000",
		"group.consumer.min.session.timeout.ms=3000",
		"group.consumer.heartbeat.interval.ms=300",
		"group.consumer.min.heartbeat.interval.ms=300",
	}
	for _, topic := range []string{"offsets.topic", "transaction.state.log", "share.coordinator.state.topic"} {
		lines = append(lines, fmt.Sprintf("%s.replication.factor=%d", topic, copies))
	}
	for _, topic := range []string{"transaction.state.log", "share.coordinator.state.topic"} {
		lines = append(lines, fmt.Sprintf("%s.min.isr=%d", topic, inSync))
	}
	return strings.Join(lines, "\n") + "\n"
}
