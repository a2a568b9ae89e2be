// SPDX-License-Identifier: Apache-2.0
//
// What the tests ask of a broker and kcat has no way to say. One process answers one command after the other, because a JVM
// takes a second to start: a command is a line on standard input, its answer is lines and then one with a dot.
//
// usage: java -cp 'CLASSES:LIB/*' Topics HOST:PORT
//        create NAME PARTITIONS
//        committed GROUP        prints "TOPIC PARTITION OFFSET" lines
//        ends TOPIC             prints "PARTITION OFFSET" lines
//        members GROUP          prints how many members have partitions, and how many partitions they have
//        user NAME PASSWORD     a login for both kinds of SCRAM
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.TopicPartition;

final class Topics {
    private static final int ITERATIONS = 4096;

    private static void create(Admin admin, String name, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
    }

    private static void committed(Admin admin, String group) throws Exception {
        admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get()
                .forEach(
                        (partition, offset) ->
                                System.out.println(
                                        partition.topic()
                                                + " "
                                                + partition.partition()
                                                + " "
                                                + offset.offset()));
    }

    private static void ends(Admin admin, String topic) throws Exception {
        Map<TopicPartition, OffsetSpec> wanted =
                admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().stream()
                        .collect(
                                Collectors.toMap(
                                        partition -> new TopicPartition(topic, partition.partition()),
                                        partition -> OffsetSpec.latest()));
        admin.listOffsets(wanted)
                .all()
                .get()
                .forEach((partition, end) -> System.out.println(partition.partition() + " " + end.offset()));
    }

    private static void members(Admin admin, String group) throws Exception {
        List<Integer> shares =
                admin.describeConsumerGroups(List.of(group)).all().get().get(group).members().stream()
                        .map(member -> member.assignment().topicPartitions().size())
                        .filter(count -> count > 0)
                        .collect(Collectors.toList());
        System.out.println(shares.size() + " " + shares.stream().mapToInt(Integer::intValue).sum());
    }

    private static void user(Admin admin, String name, String password) throws Exception {
        for (ScramMechanism mechanism :
                List.of(ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)) {
            ScramCredentialInfo info = new ScramCredentialInfo(mechanism, ITERATIONS);
            admin.alterUserScramCredentials(
                            List.of(new UserScramCredentialUpsertion(name, info, password)))
                    .all()
                    .get();
        }
    }

    private static void run(Admin admin, String[] words) throws Exception {
        switch (words[0]) {
            case "create" -> create(admin, words[1], Integer.parseInt(words[2]));
            case "committed" -> committed(admin, words[1]);
            case "ends" -> ends(admin, words[1]);
            case "members" -> members(admin, words[1]);
            case "user" -> user(admin, words[1], words[2]);
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        // A broker that is started again on a machine under load is waited for.
        settings.put("default.api.timeout.ms", "600000");
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        try (Admin admin = Admin.create(settings)) {
            for (String line; (line = commands.readLine()) != null; ) {
                try {
                    run(admin, line.split(" "));
                } catch (Exception failure) {
                    System.out.println("! " + String.valueOf(failure).replace('\n', ' '));
                }
                System.out.println(".");
            }
        }
    }
}
