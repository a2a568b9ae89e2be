// SPDX-License-Identifier: Apache-2.0
//
// What the tests ask of a broker and kcat has no way to say.
//
// usage: java -cp 'CLASSES:LIB/*' Topics HOST:PORT create NAME PARTITIONS
//        java -cp 'CLASSES:LIB/*' Topics HOST:PORT committed GROUP     prints "TOPIC PARTITION OFFSET" lines
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

final class Topics {
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

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        try (Admin admin = Admin.create(settings)) {
            if (arguments[1].equals("create")) {
                create(admin, arguments[2], Integer.parseInt(arguments[3]));
            } else {
                committed(admin, arguments[2]);
            }
        }
    }
}
