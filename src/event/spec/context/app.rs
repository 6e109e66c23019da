//! The software that an event comes from: application, library, operating system.
//!
//! The values are the caller's. Nothing is read from the process.

use crate::event::sections::section;
use crate::event::spec::setters::setters;

section! {
    /// The application:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::App};
    ///
    /// let context = Context::new().app(App::new().name("Initech").version("3.0.1").build(545));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"app":{"name":"Initech","version":"3.0.1","build":545}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    App
}

setters! { App, APP:
    name: "name" "Name of the application" text;
    version: "version" "Version of the application" id;
    build: "build" "Build, a number or text" any;
    namespace: "namespace" "Namespace, such as `com.example.app`" text;
}

section! {
    /// The library that makes the request:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::Library};
    ///
    /// let context = Context::new().library(Library::new().name("gateway").version("2.1.0"));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"library":{"name":"gateway","version":"2.1.0"}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Library
}

setters! { Library, LIBRARY:
    name: "name" "Name of the library" text;
    version: "version" "Version of the library" id;
}

section! {
    /// The operating system:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::Os};
    ///
    /// let context = Context::new().os(Os::new().name("iPhone OS").version("8.1.3"));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"os":{"name":"iPhone OS","version":"8.1.3"}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Os
}

setters! { Os, OS:
    name: "name" "Name of the operating system" text;
    version: "version" "Version of the operating system" id;
}
