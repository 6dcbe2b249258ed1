// The servers that the build script and the program agree on.
const FLEET: [Server<'static>; 3] =
    [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211").weighing(2), Server::new("10.0.1.3:11212")];
