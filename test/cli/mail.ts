/** As the starter's policy asks `group:approvers` about it, which is `user:local`; one conversation for each test. */
export const mail = (session: string, ...more: readonly string[]): readonly string[] => [
  "decide",
  ...["--agent", "inbox-assistant", "--tool", "send_email", "--session", session],
  ...["--arg", 'recipients=["bob@example.org"]', "--arg", "subject=Minutes", "--arg", "body=Attached"],
  ...["--statement", "Send the minutes to Bob", "--behest-of", "user:alice"],
  ...more,
];
